package dev.ocellus.convert;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class OutputRoundingTest {
  @Test
  void roundsHalvesOfQ8AwayFromZero() {
    float[] values = new float[32];
    values[0] = 127; // so the scale is exactly 1
    values[1] = 2.5f;
    values[2] = -2.5f;
    values[3] = 0.49999997f; // a float sum with 0.5 would make it 1
    values[4] = -126.5f;
    byte[] block = new byte[34];
    OutputRounding.toQ8(values, block, 32);
    assertThat(block).startsWith(0x00, 0x3c, 127, 3, -3, 0, -127); // F16 of 1 is 0x3c00
  }

  @Test
  void makesABlockOfZerosOfZeros() {
    byte[] block = new byte[34];
    java.util.Arrays.fill(block, (byte) 1);
    OutputRounding.toQ8(new float[32], block, 32);
    assertThat(block).containsOnly(0);
  }

  @Test
  void roundsBf16ToEven() {
    float[] values = {
      1, Float.intBitsToFloat(0x3f808000), Float.intBitsToFloat(0x3f818000), -Float.MIN_VALUE
    };
    short[] out = new short[4];
    OutputRounding.toBf16(values, out, 4);
    assertThat(out).containsExactly((short) 0x3f80, (short) 0x3f80, (short) 0x3f82, (short) 0x8000);
  }

  @Test
  void labelsSizesAsCDoes() {
    assertThat(GeneralMetadata.sizeLabel(998_912)).isEqualTo("999K");
    assertThat(GeneralMetadata.sizeLabel(1_049_600)).isEqualTo("1.0M");
    assertThat(GeneralMetadata.sizeLabel(7_241_732_096L)).isEqualTo("7.2B");
    assertThat(GeneralMetadata.sizeLabel(12_500_000_000L)).isEqualTo("12B");
  }
}
