package dev.ocellus.vlm.image;

/**
 * Width and height in pixels, both at least 1.
 *
 * <p>Python sources name sizes (height, width) in some places and (width, height) in others; here
 * the names decide.
 */
public record ImageSize(int width, int height) {
  public ImageSize {
    if (width < 1 || height < 1) {
      throw new IllegalArgumentException(
          "an image is at least 1x1 pixel, but " + width + "x" + height + " was asked for");
    }
  }

  /** Number of pixels; cannot overflow. */
  public long pixels() {
    return (long) width * height;
  }

  @Override
  public String toString() {
    return width + "x" + height;
  }
}
