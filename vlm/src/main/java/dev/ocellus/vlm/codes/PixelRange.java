package dev.ocellus.vlm.codes;

import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.Normalize;
import dev.ocellus.vlm.image.Preprocess;
import dev.ocellus.vlm.image.ResizeFilter;
import dev.ocellus.vlm.image.Rgb;
import dev.ocellus.vlm.image.RgbImage;

/**
 * How an image is brought to a size and to the numbers that a model takes, and back.
 *
 * @param size what the model was made for
 * @param fit what happens to images of another shape
 * @param minSide the shorter side gets no shorter than this, where an image is padded
 * @param filter for resizing
 * @param normalize from bytes to numbers
 */
public record PixelRange(
    ImageSize size, Fit fit, int minSide, ResizeFilter filter, Normalize normalize) {
  /** What happens to images of another shape. */
  public enum Fit {
    /** They are stretched. */
    STRETCH,
    /** The shorter side fits, and the middle is taken. */
    CROP,
    /** The longer side fits, and the rest is filled with the mean colour. */
    PAD
  }

  /** The image in the model's own size. */
  public RgbImage fit(RgbImage image) {
    return fit(image, size);
  }

  /** The image in another size, which must be one that the model can compute. */
  public RgbImage fit(RgbImage image, ImageSize to) {
    if (fit == Fit.STRETCH || to.width() != to.height()) {
      return Preprocess.stretch(image, to.width(), to.height(), filter);
    }
    return fit == Fit.CROP
        ? Preprocess.resizeAndCropToSquare(image, to.width(), filter)
        : pad(image, to.width());
  }

  /** As Janus' processor: sides are rounded to the nearest, halves to the even number. */
  private RgbImage pad(RgbImage image, int side) {
    double scale = (double) side / Math.max(image.width(), image.height());
    int width = Math.max((int) Math.rint(image.width() * scale), Math.min(minSide, side));
    int height = Math.max((int) Math.rint(image.height() * scale), Math.min(minSide, side));
    RgbImage fitted = Preprocess.stretch(image, width, height, filter);
    return Preprocess.padToSquare(fitted, Rgb.ofMean(normalize.mean()));
  }

  /** Planar values [3, height, width] of an image that has been fitted. */
  public float[] pixels(RgbImage image) {
    return normalize.apply(image);
  }

  /**
   * The image of planar values, rounded and cut to what a byte holds.
   *
   * @param values [3, height, width] from {@code offset} on
   */
  public RgbImage image(float[] values, int offset, int width, int height) {
    byte[] rgb = new byte[RgbImage.byteCount(width, height)];
    int plane = width * height;
    double[] mean = normalize.mean();
    double[] std = normalize.std();
    for (int c = 0; c < 3; c++) {
      for (int i = 0; i < plane; i++) {
        double value = (values[offset + c * plane + i] * std[c] + mean[c]) * 255;
        rgb[3 * i + c] = (byte) Math.clamp((long) Math.rint(value), 0, 255);
      }
    }
    return RgbImage.wrap(width, height, rgb);
  }
}
