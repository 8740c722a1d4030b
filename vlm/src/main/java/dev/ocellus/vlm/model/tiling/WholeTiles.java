package dev.ocellus.vlm.model.tiling;

import dev.ocellus.vlm.image.ImageSize;

/**
 * The sizes that Idefics3 and SmolVLM resize an image to before they cut it into tiles.
 *
 * <p>The reference is {@code Idefics3ImageProcessorPil} of transformers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/idefics3/image_processing_pil_idefics3.py">image_processing_pil_idefics3.py</a>.
 */
public final class WholeTiles {
  /** Longest side after the first resize, whatever the configuration says; the reference's own. */
  public static final int MAX_SIDE = 4096;

  private WholeTiles() {}

  /** What an image is resized to first: the longer side becomes {@code longestSide}. */
  public static ImageSize firstSize(ImageSize size, int longestSide) {
    return atMost(longSide(size, longestSide), MAX_SIDE);
  }

  /** The longer side becomes {@code length}, the other one even. */
  public static ImageSize longSide(ImageSize size, int length) {
    double ratio = (double) size.width() / size.height();
    boolean lying = size.width() >= size.height();
    int shorter = (int) (lying ? length / ratio : length * ratio);
    shorter = Math.max(1, shorter + shorter % 2);
    return lying ? new ImageSize(length, shorter) : new ImageSize(shorter, length);
  }

  private static ImageSize atMost(ImageSize size, int length) {
    if (Math.max(size.width(), size.height()) <= length) {
      return size;
    }
    double ratio = (double) size.width() / size.height();
    return size.width() >= size.height()
        ? new ImageSize(length, Math.max(1, (int) (length / ratio)))
        : new ImageSize(Math.max(1, (int) (length * ratio)), length);
  }

  /** Both sides rounded up to whole tiles, the shorter one after it has followed the longer one. */
  public static ImageSize wholeTiles(ImageSize size, int side) {
    double ratio = (double) size.width() / size.height();
    if (size.width() >= size.height()) {
      int width = roundUp(size.width(), side);
      return new ImageSize(width, roundUp((int) (width / ratio), side));
    }
    int height = roundUp(size.height(), side);
    return new ImageSize(roundUp((int) (height * ratio), side), height);
  }

  private static int roundUp(int length, int side) {
    return Math.max(1, Math.ceilDiv(length, side)) * side;
  }
}
