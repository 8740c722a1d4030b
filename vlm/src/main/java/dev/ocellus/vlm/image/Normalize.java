package dev.ocellus.vlm.image;

import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.Objects;
import java.util.stream.IntStream;

/**
 * From bytes to the numbers that a vision tower reads: {@code (u8 * rescale - mean[c]) / std[c]},
 * bit for bit as HuggingFace's processors compute it, in planar order (all red, all green, all
 * blue).
 *
 * <p>The product is rounded from double to float once, difference and quotient are float: {@code
 * rescale} and {@code normalize} in <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/image_transforms.py">transformers
 * 5.18, image_transforms.py</a>. As a byte has 256 values, everything is looked up.
 */
public final class Normalize {
  /** What {@code "rescale_factor"} is nearly everywhere. */
  public static final double RESCALE = 1.0 / 255;

  /** Bytes to numbers from 0 to 1, and nothing else. */
  public static final Normalize NONE = of(new double[] {0, 0, 0}, new double[] {1, 1, 1});

  /** Mean and standard deviation of a half: SigLIP, and many since. */
  public static final Normalize HALF =
      of(new double[] {0.5, 0.5, 0.5}, new double[] {0.5, 0.5, 0.5});

  /** CLIP's ({@code OPENAI_CLIP_MEAN}, {@code OPENAI_CLIP_STD} of transformers). */
  public static final Normalize CLIP =
      of(
          new double[] {0.48145466, 0.4578275, 0.40821073},
          new double[] {0.26862954, 0.26130258, 0.27577711});

  /** Those of ImageNet ({@code IMAGENET_DEFAULT_MEAN}, {@code IMAGENET_DEFAULT_STD}). */
  public static final Normalize IMAGENET =
      of(new double[] {0.485, 0.456, 0.406}, new double[] {0.229, 0.224, 0.225});

  /** Pixels of a part, and of an image that more than one thread takes parts of. */
  private static final int PART = 1 << 15;

  private static final int PARALLEL = 1 << 18;

  private final double[] mean;
  private final double[] std;
  private final float[][] tables;

  private Normalize(double[] mean, double[] std, float[][] tables) {
    this.mean = mean.clone();
    this.std = std.clone();
    this.tables = tables;
  }

  private static float[][] tables(double rescale, double[] mean, double[] std) {
    float[][] tables = new float[3][256];
    for (int c = 0; c < 3; c++) {
      for (int value = 0; value < 256; value++) {
        tables[c][value] = ((float) (value * rescale) - (float) mean[c]) / (float) std[c];
      }
    }
    return tables;
  }

  /**
   * The same mean and deviation for bytes that are not rescaled first: {@code (u8 - mean[c] * 255)
   * / (std[c] * 255)}, as the processors of transformers that are made for torchvision compute it
   * ({@code rescale_and_normalize} of image_processing_backends.py).
   */
  public Normalize fused() {
    float[][] fused = new float[3][256];
    for (int c = 0; c < 3; c++) {
      float shift = (float) mean[c] * 255;
      float scale = (float) std[c] * 255;
      for (int value = 0; value < 256; value++) {
        fused[c][value] = (value - shift) / scale;
      }
    }
    return new Normalize(mean, std, fused);
  }

  /**
   * The same with products of single precision, as the processors of transformers that are made for
   * torchvision compute where they rescale and nothing else.
   */
  public Normalize inSingle() {
    float[][] single = new float[3][256];
    for (int c = 0; c < 3; c++) {
      for (int value = 0; value < 256; value++) {
        single[c][value] = (value * (float) RESCALE - (float) mean[c]) / (float) std[c];
      }
    }
    return new Normalize(mean, std, single);
  }

  /**
   * The same where each step is rounded to bfloat16, as Llama 4's processor of transformers
   * computes ({@code rescale_and_normalize} of image_processing_llama4.py).
   */
  public Normalize inBfloat16() {
    float[][] rounded = new float[3][256];
    for (int c = 0; c < 3; c++) {
      float shift = bfloat16((float) mean[c]);
      float scale = bfloat16((float) std[c]);
      for (int value = 0; value < 256; value++) {
        float rescaled = bfloat16(value * (float) RESCALE);
        rounded[c][value] = bfloat16(bfloat16(rescaled - shift) / scale);
      }
    }
    return new Normalize(mean, std, rounded);
  }

  /** The nearest number of eight bits, of two the even one. */
  private static float bfloat16(float value) {
    int bits = Float.floatToRawIntBits(value);
    return Float.intBitsToFloat((bits + 0x7FFF + (bits >>> 16 & 1)) & 0xFFFF0000);
  }

  /** With {@code rescale} 1/255. */
  public static Normalize of(double[] mean, double[] std) {
    return of(RESCALE, mean, std);
  }

  /**
   * @param rescale {@code "rescale_factor"}
   * @param mean {@code "image_mean"}, after rescaling; three values
   * @param std {@code "image_std"}, after rescaling; three positive values
   * @throws IllegalArgumentException if a value is missing, not finite, or {@code std} not positive
   */
  public static Normalize of(double rescale, double[] mean, double[] std) {
    if (mean.length != 3 || std.length != 3) {
      throw new IllegalArgumentException(
          "mean and std need three channels, but have " + mean.length + " and " + std.length);
    }
    boolean valid = Double.isFinite(rescale);
    for (int c = 0; c < 3; c++) {
      valid &= Double.isFinite(mean[c]) && Float.isFinite((float) std[c]) && (float) std[c] > 0;
    }
    if (!valid) {
      throw new IllegalArgumentException(
          "rescale factor, mean and std must be finite and std positive, but are %s, %s and %s"
              .formatted(rescale, Arrays.toString(mean), Arrays.toString(std)));
    }
    return new Normalize(mean, std, tables(rescale, mean, std));
  }

  /** The mean of each channel, after rescaling; three values. */
  public double[] mean() {
    return mean.clone();
  }

  /** The standard deviation of each channel, after rescaling; three values. */
  public double[] std() {
    return std.clone();
  }

  /** The value of byte {@code value} (0 to 255) in channel {@code c} (0 red, 1 green, 2 blue). */
  public float value(int c, int value) {
    return tables[c][value];
  }

  /** Planar values [3, height, width] in a new array. */
  public float[] apply(RgbImage image) {
    float[] out = new float[Math.multiplyExact(3, planeLength(image))];
    apply(image, out, 0);
    return out;
  }

  /**
   * Writes planar values [3, height, width] to {@code out} from {@code offset} on.
   *
   * @throws IndexOutOfBoundsException if they do not fit
   */
  public void apply(RgbImage image, float[] out, int offset) {
    int plane = planeLength(image);
    Objects.checkFromIndexSize(offset, Math.multiplyExact(3, plane), out.length);
    byte[] in = image.data();
    IntStream parts = IntStream.range(0, Math.ceilDiv(plane, PART));
    (plane >= PARALLEL ? parts.parallel() : parts)
        .forEach(
            part -> apply(in, part * PART, Math.min(plane, (part + 1) * PART), out, offset, plane));
  }

  private void apply(byte[] in, int start, int end, float[] out, int offset, int plane) {
    float[] red = tables[0];
    float[] green = tables[1];
    float[] blue = tables[2];
    for (int i = start, from = 3 * start; i < end; i++, from += 3) {
      out[offset + i] = red[in[from] & 0xFF];
      out[offset + plane + i] = green[in[from + 1] & 0xFF];
      out[offset + 2 * plane + i] = blue[in[from + 2] & 0xFF];
    }
  }

  /**
   * Writes planar values [3, height, width] to {@code out} from its position on, and advances it.
   *
   * @throws IndexOutOfBoundsException if they do not fit; nothing is written then
   */
  public void apply(RgbImage image, FloatBuffer out) {
    int plane = planeLength(image);
    int start = out.position();
    Objects.checkFromIndexSize(start, Math.multiplyExact(3, plane), out.limit());
    byte[] in = image.data();
    for (int c = 0; c < 3; c++) {
      float[] table = tables[c];
      int to = start + c * plane;
      for (int i = 0, from = c; i < plane; i++, from += 3) {
        out.put(to + i, table[in[from] & 0xFF]);
      }
    }
    out.position(start + 3 * plane);
  }

  private static int planeLength(RgbImage image) {
    return image.width() * image.height();
  }
}
