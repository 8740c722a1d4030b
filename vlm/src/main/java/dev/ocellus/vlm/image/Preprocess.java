package dev.ocellus.vlm.image;

/**
 * The steps that image processors are made of, each with the rounding of its HuggingFace original.
 *
 * <p>Sources: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/image_transforms.py">transformers
 * 5.18, image_transforms.py</a> ({@code get_resize_output_image_size}, {@code center_crop}) and <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/llava/image_processing_pil_llava.py">image_processing_pil_llava.py</a>
 * ({@code pad_to_square}).
 */
public final class Preprocess {
  private Preprocess() {}

  /**
   * The size at which the shorter side is {@code shortestEdge} and the aspect ratio is kept; the
   * longer side is rounded down.
   */
  public static ImageSize shortestEdgeSize(ImageSize size, int shortestEdge) {
    boolean upright = size.width() <= size.height();
    int shorter = upright ? size.width() : size.height();
    int longer = upright ? size.height() : size.width();
    // Python divides integers as doubles, so this is not always the integer quotient.
    double exact = (double) ((long) shortestEdge * longer) / shorter;
    if (exact > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          "an image of %s resized to a shortest edge of %d is too long"
              .formatted(size, shortestEdge));
    }
    int newLonger = (int) exact;
    return upright
        ? new ImageSize(shortestEdge, newLonger)
        : new ImageSize(newLonger, shortestEdge);
  }

  /** The image resized so that its shorter side is {@code shortestEdge}. */
  public static RgbImage resizeShortestEdge(RgbImage image, int shortestEdge, ResizeFilter filter) {
    return Resize.resize(image, shortestEdgeSize(image.size(), shortestEdge), filter);
  }

  /** The same with a shorter side as long as the square's. */
  public static RgbImage resizeAndCropToSquare(RgbImage image, int side, ResizeFilter filter) {
    return resizeAndCropToSquare(image, side, side, filter);
  }

  /**
   * {@link #centerCrop} of {@link #resizeShortestEdge}, for a square; only what remains is
   * computed, so a thin image needs no more memory than any other.
   *
   * @param shortestEdge what the shorter side is resized to
   * @param side of the square
   * @throws ImageFormatException if the longer side would have more than 2^31 pixels
   */
  public static RgbImage resizeAndCropToSquare(
      RgbImage image, int shortestEdge, int side, ResizeFilter filter) {
    ImageSize whole;
    try {
      whole = shortestEdgeSize(image.size(), shortestEdge);
    } catch (IllegalArgumentException e) {
      throw new ImageFormatException(
          ImageFormatException.Kind.UNSUPPORTED,
          "An image of %s pixels is too thin to be resized to a shorter side of %d. Crop it or cut it into parts."
              .formatted(image.size(), shortestEdge),
          e);
    }
    int width = Math.min(side, whole.width());
    int height = Math.min(side, whole.height());
    int x = (whole.width() - width) / 2;
    int y = (whole.height() - height) / 2;
    return centerCrop(Resize.resizePart(image, whole, filter, x, y, width, height), side, side);
  }

  /**
   * The middle {@code width} x {@code height} of the image. Where the image is smaller it is put in
   * the middle of black; of an odd difference the larger half goes to the left or the top when
   * padding, and to the right or the bottom when cropping.
   */
  public static RgbImage centerCrop(RgbImage image, int width, int height) {
    int missingX = Math.max(0, width - image.width());
    int missingY = Math.max(0, height - image.height());
    int left = (missingX + 1) / 2;
    int top = (missingY + 1) / 2;
    int x = Math.max(0, image.width() - width) / 2;
    int y = Math.max(0, image.height() - height) / 2;
    return image
        .crop(x, y, Math.min(width, image.width()), Math.min(height, image.height()))
        .pad(left, top, missingX - left, missingY - top, Rgb.BLACK);
  }

  /**
   * The image in the middle of a square of its longer side. Of an odd difference the larger half
   * goes to the right or the bottom.
   *
   * @param background usually {@link Rgb#ofMean}
   */
  public static RgbImage padToSquare(RgbImage image, Rgb background) {
    int side = Math.max(image.width(), image.height());
    int left = (side - image.width()) / 2;
    int top = (side - image.height()) / 2;
    return image.pad(
        left, top, side - image.width() - left, side - image.height() - top, background);
  }

  /**
   * The image resized so that its longer side is {@code side}, in the middle of a square of it.
   * Both sides are rounded to the nearest number of pixels, a half to the even one; of an odd
   * difference the larger half goes to the right or the bottom. As {@code ResizeKeepRatio} and
   * {@code CenterCropOrPad} of <a
   * href="https://github.com/mlfoundations/open_clip/blob/v3.3.0/src/open_clip/transform.py">open_clip's
   * transform.py</a>.
   */
  public static RgbImage resizeLongestAndPad(
      RgbImage image, int side, ResizeFilter filter, Rgb background) {
    double ratio = Math.max((double) image.width() / side, (double) image.height() / side);
    int width = (int) Math.max(1, Math.rint(image.width() / ratio));
    int height = (int) Math.max(1, Math.rint(image.height() / ratio));
    int left = (side - width) / 2;
    int top = (side - height) / 2;
    return Resize.resize(image, width, height, filter)
        .pad(left, top, side - width - left, side - height - top, background);
  }

  /** The image resized to exactly {@code width} x {@code height}, whatever its aspect ratio. */
  public static RgbImage stretch(RgbImage image, int width, int height, ResizeFilter filter) {
    return Resize.resize(image, width, height, filter);
  }
}
