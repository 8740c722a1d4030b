package dev.ocellus.vlm.options;

import dev.ocellus.compute.MatrixPrecision;
import dev.ocellus.vlm.vision.ImageOptions;

/**
 * How images are prepared and encoded.
 *
 * @param images how they are prepared, where the model leaves a choice
 * @param precision how the image encoder multiplies with its weights on a CPU
 */
public record VisionOptions(ImageOptions images, MatrixPrecision precision) {
  /** As the model wants it, and exactly. */
  public static VisionOptions defaults() {
    return new VisionOptions(ImageOptions.DEFAULT, MatrixPrecision.EXACT);
  }

  public VisionOptions withImages(ImageOptions images) {
    return new VisionOptions(images, precision);
  }

  public VisionOptions withPrecision(MatrixPrecision precision) {
    return new VisionOptions(images, precision);
  }
}
