package dev.ocellus.ggml;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.ffi.ggml_type_traits;
import dev.ocellus.gguf.TensorType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

class RowCodecTest {
  /** Every number of 16 bits. */
  @Test
  void halvesBecomeTheFloatsThatGgmlMakesOfThem() {
    int n = 1 << 16;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment halves = arena.allocate(2L * n, 64);
      MemorySegment floats = arena.allocate(4L * n, 64);
      MemorySegment expected = arena.allocate(4L * n, 64);
      for (int i = 0; i < n; i++) {
        halves.setAtIndex(ValueLayout.JAVA_SHORT, i, (short) i);
      }
      for (TensorType type : new TensorType[] {TensorType.F16, TensorType.BF16}) {
        RowCodec.decode(type, halves, floats, n);
        ggml_type_traits.to_float.invoke(RowCodec.toFloat(type), halves, expected, n);
        for (int i = 0; i < n; i++) { // NaN is NaN, whatever its bits
          assertThat(Float.floatToIntBits(floats.getAtIndex(ValueLayout.JAVA_FLOAT, i)))
              .isEqualTo(Float.floatToIntBits(expected.getAtIndex(ValueLayout.JAVA_FLOAT, i)));
        }
      }
    }
  }

  /** Every number of 16 bits, by the definition of IEEE 754. */
  @Test
  void halvesBecomeTheSameFloats() {
    int n = 1 << 16;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment halves = arena.allocate(2L * n, 64);
      MemorySegment floats = arena.allocate(4L * n, 64);
      for (int i = 0; i < n; i++) {
        halves.setAtIndex(ValueLayout.JAVA_SHORT, i, (short) i);
      }
      RowCodec.decode(TensorType.F16, halves, floats, n);
      for (int i = 0; i < n; i++) {
        float found = floats.getAtIndex(ValueLayout.JAVA_FLOAT, i);
        double sign = i >> 15 == 0 ? 1 : -1;
        int exponent = i >> 10 & 31;
        int fraction = i & 1023;
        assertThat(RowCodec.isValid(TensorType.F16, halves.asSlice(2L * i, 2)))
            .isEqualTo(exponent != 31);
        if (exponent == 31 && fraction != 0) {
          assertThat(found).isNaN();
        } else {
          double expected =
              exponent == 31
                  ? sign * Double.POSITIVE_INFINITY
                  : exponent == 0
                      ? sign * Math.scalb(fraction, -24)
                      : sign * Math.scalb(1024 + fraction, exponent - 25);
          assertThat(Float.floatToRawIntBits(found))
              .isEqualTo(Float.floatToRawIntBits((float) expected));
        }
      }
    }
  }
}
