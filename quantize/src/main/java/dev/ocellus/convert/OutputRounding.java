package dev.ocellus.convert;

import dev.ocellus.Setting;
import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.convert.hf.LazyTensor;

/** Roundings of floats, with the bits of ggml's reference functions and of gguf-py. */
final class OutputRounding {
  /** The largest float that F16 does not round to infinity. */
  private static final float F16_LIMIT = 65519.996f;

  private static final int BLOCK = 32;

  /**
   * The float before 0.5. Adding it and cutting off rounds halves away from zero, exactly for every
   * float; 0.5 itself would take the float before 0.5 to 1.
   */
  private static final float ALMOST_HALF = 0x1.fffffep-2f;

  private OutputRounding() {}

  /**
   * @throws ConversionException if a number is NaN or infinite
   */
  static void requireFinite(LazyTensor tensor, long first, float[] values, int length) {
    int largest = 0;
    for (int i = 0; i < length; i++) {
      largest = Math.max(largest, Float.floatToRawIntBits(values[i]) & 0x7fff_ffff);
    }
    if (largest < 0x7f80_0000) {
      return;
    }
    int i = 0;
    while (Float.isFinite(values[i])) {
      i++;
    }
    throw new ConversionException(
        "Tensor '%s' %s holds %s at element %d. The checkpoint is damaged, or training went wrong; no output was written."
            .formatted(
                tensor.name(), java.util.Arrays.toString(tensor.shape()), values[i], first + i));
  }

  /**
   * @throws ConversionException if a number is too large for F16
   */
  static void requireInF16(LazyTensor tensor, long first, float[] values, int length) {
    requireBelow(F16_LIMIT, "f16", tensor, first, values, length);
  }

  /**
   * @throws ConversionException if a number is too large for Q8_0, whose scales are F16
   */
  static void requireInQ8(LazyTensor tensor, long first, float[] values, int length) {
    requireBelow(F16_LIMIT * 127, "q8_0", tensor, first, values, length);
  }

  private static void requireBelow(
      float limit, String type, LazyTensor tensor, long first, float[] values, int length) {
    float largest = 0;
    for (int i = 0; i < length; i++) {
      largest = Math.max(largest, Math.abs(values[i]));
    }
    if (largest <= limit) {
      return;
    }
    int i = 0;
    while (Math.abs(values[i]) <= limit) {
      i++;
    }
    throw new ConversionException(
            "Tensor '%s' holds %s at element %d, which is infinite in %s. Convert to bf16 or f32."
                .formatted(tensor.name(), values[i], first + i, type))
        .about(Setting.OUTPUT_TYPE);
  }

  /** Round to nearest, ties to even. */
  static void toF16(float[] from, short[] to, int length) {
    for (int i = 0; i < length; i++) {
      to[i] = Float.floatToFloat16(from[i]);
    }
  }

  /** Round to nearest, ties to even. The numbers are finite. */
  static void toBf16(float[] from, short[] to, int length) {
    for (int i = 0; i < length; i++) {
      int bits = Float.floatToRawIntBits(from[i]);
      to[i] = (short) ((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
    }
  }

  /**
   * Blocks of 32 numbers: an F16 scale and 32 signed bytes. Rounds halves away from zero, as C's
   * {@code roundf} does.
   */
  static void toQ8(float[] from, byte[] to, int length) {
    int at = 0;
    for (int start = 0; start < length; start += BLOCK) {
      float largest = 0;
      for (int i = start; i < start + BLOCK; i++) {
        largest = Math.max(largest, Math.abs(from[i]));
      }
      float scale = largest / 127;
      float inverse = scale != 0 ? 1 / scale : 0;
      short half = Float.floatToFloat16(scale);
      to[at] = (byte) half;
      to[at + 1] = (byte) (half >> 8);
      for (int i = 0; i < BLOCK; i++) {
        float v = from[start + i] * inverse;
        to[at + 2 + i] = (byte) (int) (v + Math.copySign(ALMOST_HALF, v));
      }
      at += 2 + BLOCK;
    }
  }
}
