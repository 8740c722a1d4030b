package dev.ocellus.safetensors;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

class ElementDecoderTest {
  private static float[] read(SafetensorsType type, int... bytes) {
    byte[] b = new byte[bytes.length];
    for (int i = 0; i < b.length; i++) {
      b[i] = (byte) bytes[i];
    }
    float[] out = new float[b.length / type.bytes()];
    ElementDecoder.read(type, MemorySegment.ofArray(b), 0, out, 0, out.length);
    return out;
  }

  @Test
  void readsE4M3() {
    // 1, the largest, the smallest, the smallest normal, minus 2, not a number
    assertThat(read(SafetensorsType.F8_E4M3, 0x38, 0x7e, 0x01, 0x08, 0xc0, 0x7f))
        .containsExactly(1, 448, 1 / 512f, 1 / 64f, -2, Float.NaN);
  }

  @Test
  void readsE5M2() {
    assertThat(read(SafetensorsType.F8_E5M2, 0x3c, 0x7b, 0x01, 0x7c, 0xfc, 0x7d))
        .containsExactly(
            1, 57344, 1 / 65536f, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, Float.NaN);
  }

  @Test
  void readsPowersOfTwo() {
    assertThat(read(SafetensorsType.F8_E8M0, 127, 128, 0)).containsExactly(1, 2, 0x1p-127f);
  }

  @Test
  void readsIntegers() {
    assertThat(read(SafetensorsType.I8, 0xff, 0x7f)).containsExactly(-1, 127);
    assertThat(read(SafetensorsType.U8, 0xff)).containsExactly(255);
    assertThat(read(SafetensorsType.I16, 0xfe, 0xff)).containsExactly(-2);
    assertThat(read(SafetensorsType.U16, 0xfe, 0xff)).containsExactly(65534);
    assertThat(read(SafetensorsType.U32, 0, 0, 0, 0x80)).containsExactly(0x1p31f);
    assertThat(read(SafetensorsType.U64, 0, 0, 0, 0, 0, 0, 0, 0x80)).containsExactly(0x1p63f);
    assertThat(read(SafetensorsType.BOOL, 0, 1, 2)).containsExactly(0, 1, 1);
  }
}
