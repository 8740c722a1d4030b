package dev.ocellus.convert;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.gguf.TensorType;
import dev.ocellus.io.Memory;
import dev.ocellus.safetensors.SafetensorsType;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

class StoredFloatsTest {
  private static Memory halves(int... bits) {
    short[] values = new short[bits.length];
    for (int i = 0; i < bits.length; i++) {
      values[i] = (short) bits[i];
    }
    return new Memory(MemorySegment.ofArray(values));
  }

  @Test
  void findsWhatIsNotFinite() {
    assertThat(StoredFloats.areFinite(halves(0, 0x7bff, 0xfbff), SafetensorsType.F16)).isTrue();
    assertThat(StoredFloats.areFinite(halves(0, 0xfc00), SafetensorsType.F16)).isFalse();
    assertThat(StoredFloats.areFinite(halves(0x7e00), SafetensorsType.F16)).isFalse();
    assertThat(StoredFloats.areFinite(halves(0x7f7f, 0xff7f), SafetensorsType.BF16)).isTrue();
    assertThat(StoredFloats.areFinite(halves(0x7f80), SafetensorsType.BF16)).isFalse();
    assertThat(StoredFloats.areFinite(halves(0xffc0), SafetensorsType.BF16)).isFalse();
    Memory large = Memory.of(new float[] {Float.MAX_VALUE, -Float.MAX_VALUE});
    assertThat(StoredFloats.areFinite(large, SafetensorsType.F32)).isTrue();
    Memory nan = Memory.of(new float[] {1, Float.NaN});
    assertThat(StoredFloats.areFinite(nan, SafetensorsType.F32)).isFalse();
    Memory infinite = Memory.of(new float[] {Float.NEGATIVE_INFINITY});
    assertThat(StoredFloats.areFinite(infinite, SafetensorsType.F32)).isFalse();
  }

  @Test
  void knowsWhichTypesAreTheSame() {
    assertThat(StoredFloats.isSame(SafetensorsType.BF16, TensorType.BF16)).isTrue();
    assertThat(StoredFloats.isSame(SafetensorsType.BF16, TensorType.F16)).isFalse();
    assertThat(StoredFloats.isSame(SafetensorsType.F64, TensorType.F32)).isFalse();
  }
}
