package dev.ocellus.vlm.image;

import dev.ocellus.io.Sha256;
import java.awt.image.BufferedImage;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * An immutable image of 8-bit red, green and blue, without alpha: what {@code
 * PIL.Image.convert("RGB")} gives and every preprocessor starts from.
 *
 * <p>Pixels are packed: byte {@code (y * width + x) * 3 + c} is channel c (0 red, 1 green, 2 blue)
 * of pixel (x, y), with (0, 0) at the top left. Instances can be shared between threads.
 */
public final class RgbImage implements Visual {
  /** Most bytes that one Java array holds, less what some VMs reserve. */
  private static final long MAX_BYTES = Integer.MAX_VALUE - 8;

  private final int width;
  private final int height;
  private final byte[] data;
  private volatile @Nullable String contentHash;

  private RgbImage(int width, int height, byte[] data) {
    this.width = width;
    this.height = height;
    this.data = data;
  }

  /**
   * An image of a copy of {@code rgb}.
   *
   * @param rgb {@code width * height * 3} bytes, interleaved
   * @throws IllegalArgumentException if a side is below 1 or the length does not fit
   */
  public static RgbImage of(int width, int height, byte[] rgb) {
    int length = byteCount(width, height);
    if (rgb.length != length) {
      throw new IllegalArgumentException(
          "a %dx%d RGB image has %d bytes, but %d were given"
              .formatted(width, height, length, rgb.length));
    }
    return new RgbImage(width, height, rgb.clone());
  }

  /** An image that is {@code color} everywhere. */
  public static RgbImage filled(int width, int height, Rgb color) {
    byte[] data = new byte[byteCount(width, height)];
    fill(data, color);
    return new RgbImage(width, height, data);
  }

  /**
   * The pixels of a {@link BufferedImage} as Pillow's {@code convert("RGB")} would give them: alpha
   * is dropped and not blended, gray is replicated, palettes are expanded, and no colour management
   * takes place. Premultiplied colour is divided by its alpha first.
   */
  public static RgbImage fromBufferedImage(BufferedImage image) {
    return RasterToRgb.convert(image);
  }

  /**
   * An image of {@code data} itself, for decoders that have just filled it: without a copy, so
   * nobody may write to the array afterwards. {@link #of} copies.
   *
   * @param data {@code width * height * 3} bytes, interleaved
   * @throws IllegalArgumentException if a side is below 1 or the length does not fit
   */
  public static RgbImage wrap(int width, int height, byte[] data) {
    if (data.length != byteCount(width, height)) {
      throw new IllegalArgumentException(
          data.length + " bytes do not make a " + width + "x" + height + " image");
    }
    return new RgbImage(width, height, data);
  }

  /**
   * Bytes of a packed RGB image: {@code width * height * 3}.
   *
   * @throws IllegalArgumentException if a side is below 1 or no array holds so many
   */
  public static int byteCount(int width, int height) {
    ImageSize size = new ImageSize(width, height);
    long bytes = size.pixels() * 3;
    if (bytes > MAX_BYTES) {
      throw new IllegalArgumentException(
          "an RGB image of %s needs %d bytes, and at most %d fit into one array"
              .formatted(size, bytes, MAX_BYTES));
    }
    return (int) bytes;
  }

  public int width() {
    return width;
  }

  public int height() {
    return height;
  }

  public ImageSize size() {
    return new ImageSize(width, height);
  }

  /** Red of pixel (x, y), 0 to 255. */
  public int red(int x, int y) {
    return data[offset(x, y)] & 0xFF;
  }

  /** Green of pixel (x, y), 0 to 255. */
  public int green(int x, int y) {
    return data[offset(x, y) + 1] & 0xFF;
  }

  /** Blue of pixel (x, y), 0 to 255. */
  public int blue(int x, int y) {
    return data[offset(x, y) + 2] & 0xFF;
  }

  /** Pixel (x, y) as {@code 0xRRGGBB}. */
  public int rgb(int x, int y) {
    int at = offset(x, y);
    return (data[at] & 0xFF) << 16 | (data[at + 1] & 0xFF) << 8 | (data[at + 2] & 0xFF);
  }

  private int offset(int x, int y) {
    Objects.checkIndex(x, width);
    Objects.checkIndex(y, height);
    return (y * width + x) * 3;
  }

  /** A copy of the packed pixels: {@code width * height * 3} bytes. */
  public byte[] toByteArray() {
    return data.clone();
  }

  /** The packed pixels without copying, read-only, position 0. */
  public ByteBuffer asByteBuffer() {
    return ByteBuffer.wrap(data).asReadOnlyBuffer();
  }

  /** The pixels themselves, for readers in this package. */
  byte[] data() {
    return data;
  }

  /** The same pixels as an opaque {@link BufferedImage} for drawing or writing. */
  public BufferedImage toBufferedImage() {
    BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    int[] row = new int[width];
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        row[x] = rgb(x, y);
      }
      image.getRaster().setDataElements(0, y, width, 1, row);
    }
    return image;
  }

  /**
   * The rectangle with its top left corner at (x, y).
   *
   * @throws IllegalArgumentException if it is empty or leaves the image; see {@link #pad}
   */
  public RgbImage crop(int x, int y, int cropWidth, int cropHeight) {
    byte[] out = new byte[byteCount(cropWidth, cropHeight)];
    if (x < 0 || y < 0 || cropWidth > width - x || cropHeight > height - y) {
      throw new IllegalArgumentException(
          "a crop of %dx%d at (%d, %d) leaves the image of %dx%d"
              .formatted(cropWidth, cropHeight, x, y, width, height));
    }
    for (int row = 0; row < cropHeight; row++) {
      System.arraycopy(data, ((y + row) * width + x) * 3, out, row * cropWidth * 3, cropWidth * 3);
    }
    return new RgbImage(cropWidth, cropHeight, out);
  }

  /** The image with a border of {@code color}; each width is in pixels and not negative. */
  public RgbImage pad(int left, int top, int right, int bottom, Rgb color) {
    if ((left | top | right | bottom) < 0) {
      throw new IllegalArgumentException(
          "padding is not negative, but left %d, top %d, right %d, bottom %d was asked for"
              .formatted(left, top, right, bottom));
    }
    if ((left | top | right | bottom) == 0) {
      return this;
    }
    int newWidth = (int) Math.min(Integer.MAX_VALUE, (long) width + left + right);
    int newHeight = (int) Math.min(Integer.MAX_VALUE, (long) height + top + bottom);
    byte[] out = new byte[byteCount(newWidth, newHeight)];
    fill(out, color);
    for (int row = 0; row < height; row++) {
      System.arraycopy(data, row * width * 3, out, ((top + row) * newWidth + left) * 3, width * 3);
    }
    return new RgbImage(newWidth, newHeight, out);
  }

  /** Mirrored left to right. */
  public RgbImage flipHorizontal() {
    return Orientation.MIRRORED.apply(this);
  }

  /** Mirrored top to bottom. */
  public RgbImage flipVertical() {
    return Orientation.FLIPPED.apply(this);
  }

  /** Turned clockwise by {@code quarterTurns} times 90 degrees; negative turns the other way. */
  public RgbImage rotate(int quarterTurns) {
    return switch (Math.floorMod(quarterTurns, 4)) {
      case 1 -> Orientation.NEEDS_CLOCKWISE.apply(this);
      case 2 -> Orientation.UPSIDE_DOWN.apply(this);
      case 3 -> Orientation.NEEDS_COUNTERCLOCKWISE.apply(this);
      default -> this;
    };
  }

  /**
   * SHA-256 over width, height and pixels in lower-case hex: equal for equal decoded images,
   * whatever file they came from. Computed once.
   */
  @Override
  public String contentHash() {
    String hash = contentHash;
    if (hash == null) {
      hash = computeHash();
      contentHash = hash;
    }
    return hash;
  }

  private String computeHash() {
    MessageDigest digest = Sha256.digest();
    digest.update(ByteBuffer.allocate(8).putInt(width).putInt(height).flip());
    digest.update(data);
    return Sha256.hex(digest);
  }

  private static void fill(byte[] data, Rgb color) {
    for (int i = 0; i < data.length; i += 3) {
      data[i] = (byte) color.red();
      data[i + 1] = (byte) color.green();
      data[i + 2] = (byte) color.blue();
    }
  }

  /** Equal size and equal pixels. */
  @Override
  public boolean equals(@Nullable Object other) {
    return this == other
        || other instanceof RgbImage that
            && width == that.width
            && height == that.height
            && Arrays.equals(data, that.data);
  }

  @Override
  public int hashCode() {
    return 31 * (31 * width + height) + Arrays.hashCode(data);
  }

  @Override
  public String toString() {
    return "RgbImage[" + width + "x" + height + "]";
  }
}
