package dev.ocellus.vlm.image;

/**
 * The eight values of the EXIF orientation tag (0x0112): how the stored pixels must be moved to be
 * seen upright. Same moves as <a
 * href="https://github.com/python-pillow/Pillow/blob/bb1d8e8ab8d29048624d96e3ee53cecf7c13d13d/src/PIL/ImageOps.py">
 * Pillow 12.3, ImageOps.exif_transpose</a>.
 */
public enum Orientation {
  UPRIGHT(false, false, false),
  MIRRORED(false, true, false),
  UPSIDE_DOWN(false, true, true),
  FLIPPED(false, false, true),
  TRANSPOSED(true, false, false),
  NEEDS_CLOCKWISE(true, false, true),
  TRANSVERSED(true, true, true),
  NEEDS_COUNTERCLOCKWISE(true, true, false);

  /** Whether the sides change places: output pixel (x, y) is then read from column y. */
  private final boolean swapsSides;

  /** Whether source columns, and source rows, are read from their end. */
  private final boolean reversesColumns;

  private final boolean reversesRows;

  Orientation(boolean swapsSides, boolean reversesColumns, boolean reversesRows) {
    this.swapsSides = swapsSides;
    this.reversesColumns = reversesColumns;
    this.reversesRows = reversesRows;
  }

  /** The orientation of a tag value; anything but 1 to 8 means upright, as Pillow has it. */
  public static Orientation ofTag(int value) {
    return value >= 1 && value <= 8 ? values()[value - 1] : UPRIGHT;
  }

  /** The pixels of {@code image} moved so that they are seen upright. */
  public RgbImage apply(RgbImage image) {
    if (this == UPRIGHT) {
      return image;
    }
    int width = swapsSides ? image.height() : image.width();
    int height = swapsSides ? image.width() : image.height();
    // Offsets in the source when going one pixel right or down in the source itself ...
    int column = reversesColumns ? -3 : 3;
    int row = (reversesRows ? -3 : 3) * image.width();
    int start =
        (reversesColumns ? (image.width() - 1) * 3 : 0)
            + (reversesRows ? (image.height() - 1) * image.width() * 3 : 0);
    // ... and in the result.
    int right = swapsSides ? row : column;
    int down = swapsSides ? column : row;
    byte[] in = image.data();
    byte[] out = new byte[in.length];
    int to = 0;
    for (int y = 0; y < height; y++) {
      int from = start + y * down;
      for (int x = 0; x < width; x++, from += right, to += 3) {
        out[to] = in[from];
        out[to + 1] = in[from + 1];
        out[to + 2] = in[from + 2];
      }
    }
    return RgbImage.wrap(width, height, out);
  }
}
