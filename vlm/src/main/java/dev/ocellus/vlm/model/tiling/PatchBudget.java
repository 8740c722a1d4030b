package dev.ocellus.vlm.model.tiling;

import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.Normalize;
import dev.ocellus.vlm.image.Preprocess;
import dev.ocellus.vlm.image.ResizeFilter;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.vision.ConfigReader;
import dev.ocellus.vlm.vision.Tiles;

/**
 * Any image as one tile of its own shape, as large as a number of patches allows.
 *
 * <p>The reference is {@code Siglip2ImageProcessor} of transformers, whose search for the scale is
 * taken over step by step, as its end decides about a patch more or less: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/siglip2/image_processing_pil_siglip2.py">image_processing_pil_siglip2.py</a>.
 */
public final class PatchBudget {
  private static final double EPS = 1e-5;
  private static final double MAX_SCALE = 100;

  private final int patchSize;
  private final int maxPatches;
  private final ResizeFilter filter;
  private final Normalize normalize;

  private PatchBudget(ConfigReader c, int patchSize) {
    this.patchSize = patchSize;
    maxPatches = c.integer("max_num_patches", 1, 1 << 16, 256);
    filter = c.filter(ResizeFilter.BILINEAR);
    normalize = c.normalize(Normalize.HALF);
  }

  /** Reads how many patches there may be, 256 where the file does not say. */
  public static PatchBudget of(GgufMetadata metadata, int patchSize) {
    return new PatchBudget(ConfigReader.ofVision(metadata), patchSize);
  }

  /**
   * The image as one tile.
   *
   * @throws dev.ocellus.vlm.image.ImageFormatException if it is too thin to be resized
   */
  public Tiles tile(RgbImage image) {
    ImageSize size = size(image.size(), patchSize, maxPatches);
    float[] pixels =
        normalize.apply(Preprocess.stretch(image, size.width(), size.height(), filter));
    return Tiles.ofRgb(pixels, size.width(), size.height(), 1, patchSize);
  }

  /** The size that an image is brought to, in whole patches. */
  static ImageSize size(ImageSize image, int patchSize, int maxPatches) {
    double low = EPS / 10;
    double high = MAX_SCALE;
    while (high - low >= EPS) {
      double scale = (low + high) / 2;
      double patches =
          (side(scale, image.height(), patchSize) / patchSize)
              * (side(scale, image.width(), patchSize) / patchSize);
      if (patches <= maxPatches) {
        low = scale;
      } else {
        high = scale;
      }
    }
    return new ImageSize(
        (int) side(low, image.width(), patchSize), (int) side(low, image.height(), patchSize));
  }

  private static double side(double scale, int size, int patchSize) {
    return Math.max(patchSize, Math.ceil(size * scale / patchSize) * patchSize);
  }
}
