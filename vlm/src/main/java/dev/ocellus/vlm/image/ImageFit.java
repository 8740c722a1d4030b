package dev.ocellus.vlm.image;

/**
 * How an image was brought to the sizes that an encoder takes.
 *
 * @param kind what was done
 * @param horizontal pixels of the image, at the left and at the right together, that were cut off
 *     or added; 0 where nothing was
 * @param vertical likewise at the top and at the bottom
 */
public record ImageFit(Kind kind, int horizontal, int vertical) {
  /** What is done with images. */
  public enum Kind {
    /** Resized in its aspect ratio, to whole pixels. */
    SCALED,
    /** Resized to another aspect ratio. */
    STRETCHED,
    /** Resized, and only its middle taken. */
    CROPPED,
    /** Resized, and a border added. */
    PADDED,
    /** Cut into tiles, with a smaller image of the whole or without. */
    TILED
  }

  /** As one image of another size, with all of its pixels. */
  public static ImageFit resized(ImageSize from, ImageSize to) {
    double width = (double) from.width() * to.height() / from.height();
    double height = (double) from.height() * to.width() / from.width();
    boolean same = Math.abs(width - to.width()) < 1 || Math.abs(height - to.height()) < 1;
    return new ImageFit(same ? Kind.SCALED : Kind.STRETCHED, 0, 0);
  }

  /** With a border that makes a square of it. */
  public static ImageFit squared(ImageSize from) {
    int side = Math.max(from.width(), from.height());
    boolean square = from.width() == from.height();
    return new ImageFit(
        square ? Kind.SCALED : Kind.PADDED, side - from.width(), side - from.height());
  }

  /**
   * Resized to a size, of which the middle is taken.
   *
   * @param whole the size that the image is resized to
   * @param side of the square that is taken
   */
  public static ImageFit cropped(ImageSize from, ImageSize whole, int side) {
    int horizontal = cut(from.width(), whole.width(), side);
    int vertical = cut(from.height(), whole.height(), side);
    boolean all = horizontal <= 0 && vertical <= 0;
    boolean padded = horizontal < 0 || vertical < 0;
    Kind kind = padded ? Kind.PADDED : all ? Kind.SCALED : Kind.CROPPED;
    return new ImageFit(kind, Math.abs(horizontal), Math.abs(vertical));
  }

  /**
   * Resized, with a border around it where a canvas is larger.
   *
   * @param size of the image on the canvas
   * @param tiled whether the canvas is cut into tiles
   */
  public static ImageFit onCanvas(ImageSize from, ImageSize size, ImageSize canvas, boolean tiled) {
    Kind kind = tiled ? Kind.TILED : size.equals(canvas) ? resized(from, size).kind : Kind.PADDED;
    return new ImageFit(
        kind,
        added(from.width(), size.width(), canvas.width()),
        added(from.height(), size.height(), canvas.height()));
  }

  private static int added(int from, int size, int canvas) {
    return (int) Math.rint((double) from * (canvas - size) / size);
  }

  private static int cut(int from, int whole, int side) {
    return (int) Math.rint((double) from * (whole - side) / whole);
  }
}
