package dev.ocellus.vlm.image;

/**
 * How much an image file may ask for. Sizes are read from the header and compared before anything
 * is allocated for pixels.
 *
 * @param maxBytes length of the file, in bytes
 * @param maxPixels width times height; for an animation all frames together
 * @param maxSide width and height, in pixels
 * @param maxFrames frames of an animation or a video
 */
public record ImageLimits(long maxBytes, long maxPixels, int maxSide, int maxFrames) {
  /** 256 MiB, 100 megapixels, sides of 65535 pixels, 1000 frames. */
  public static final ImageLimits DEFAULT = new ImageLimits(256L << 20, 100_000_000, 65_535, 1000);

  public ImageLimits {
    if (maxBytes < 1 || maxPixels < 1 || maxSide < 1 || maxFrames < 1) {
      throw new IllegalArgumentException(
          "every limit must be positive, but they are %d bytes, %d pixels, side %d, %d frames"
              .formatted(maxBytes, maxPixels, maxSide, maxFrames));
    }
  }

  public ImageLimits withMaxPixels(long pixels) {
    return new ImageLimits(maxBytes, pixels, maxSide, maxFrames);
  }

  public ImageLimits withMaxBytes(long bytes) {
    return new ImageLimits(bytes, maxPixels, maxSide, maxFrames);
  }

  /**
   * Checks the length of a file.
   *
   * @throws ImageFormatException of kind TOO_LARGE
   */
  public void checkBytes(long bytes) {
    if (bytes > maxBytes) {
      throw new ImageFormatException(
          ImageFormatException.Kind.TOO_LARGE,
          "the file has more than the %d bytes allowed; raise ImageLimits.maxBytes if it is meant"
              .formatted(maxBytes));
    }
  }

  /**
   * Checks sizes as they stand in a header, which may be anything.
   *
   * @throws ImageFormatException of kind CORRUPT if a side is below 1, else of kind TOO_LARGE
   */
  public ImageSize checkSize(long width, long height) {
    if (width < 1 || height < 1) {
      throw ImageFormatException.corrupt(
          "the header says %dx%d, but an image is at least 1x1 pixel".formatted(width, height));
    }
    if (width > maxSide || height > maxSide || width * height > maxPixels) {
      throw new ImageFormatException(
          ImageFormatException.Kind.TOO_LARGE,
          ("the image has %dx%d pixels; at most %d pixels and a side of %d are allowed. Shrink it,"
                  + " or raise ImageLimits")
              .formatted(width, height, maxPixels, maxSide));
    }
    try {
      int unused = RgbImage.byteCount((int) width, (int) height);
    } catch (IllegalArgumentException e) {
      throw new ImageFormatException(ImageFormatException.Kind.TOO_LARGE, e.getMessage() + "", e);
    }
    return new ImageSize((int) width, (int) height);
  }
}
