package dev.ocellus.vlm.image.codec;

import dev.ocellus.vlm.image.ImageFormatException;
import dev.ocellus.vlm.image.ImageLimits;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.RgbImage;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * BMP, and DIB, which is BMP without its file header, to RGB with the pixels of <a
 * href="https://github.com/python-pillow/Pillow/blob/bb1d8e8ab8d29048624d96e3ee53cecf7c13d13d/src/PIL/BmpImagePlugin.py">
 * Pillow 12.3, BmpImagePlugin</a>: all headers of Windows and OS/2, palettes, 16 to 32 bits with
 * any masks, run lengths, rows in either order.
 */
final class BmpDecoder {
  private static final int FILE_HEADER = 14;
  private static final int OS2_HEADER = 12;
  private static final int INFO_HEADER = 40;

  /** The shortest header that holds the masks of the colours itself. */
  private static final int MASKS_HEADER = 52;

  private static final int RLE8 = 1;
  private static final int RLE4 = 2;
  private static final int BIT_FIELDS = 3;

  private static final int[] MASKS_555 = {0x7C00, 0x3E0, 0x1F};
  private static final int[] MASKS_888 = {0xFF0000, 0xFF00, 0xFF};

  private final ByteBuffer file;
  private final ImageSize size;
  private final int bits;
  private final int compression;
  private final boolean topDown;
  private final int[] masks;
  private final byte[] palette = new byte[256 * 3];
  private final int pixelsAt;

  /**
   * @param headerAt where the length of the header stands, which tells its kind
   * @param offset where the pixels begin, or 0 if that is behind the header and the palette
   */
  private BmpDecoder(ByteBuffer file, int headerAt, long offset, ImageLimits limits) {
    this.file = file;
    int length = file.getInt(headerAt);
    boolean os2 = length == OS2_HEADER;
    if (!isHeaderLength(length)) {
      throw ImageFormatException.unsupported("the BMP file has a header of " + length + " bytes");
    }
    int at = headerAt + 4;
    topDown = !os2 && file.get(at + 7) == (byte) 0xFF;
    size = os2 ? limits.checkSize(short16(at), short16(at + 2)) : checkSize(at, limits);
    bits = short16(at + (os2 ? 6 : 10));
    compression = os2 ? 0 : file.getInt(at + 12);
    long colors = os2 ? 0 : file.getInt(at + 28) & 0xFFFFFFFFL;
    checkKind();
    int next = headerAt + length;
    if (compression == BIT_FIELDS && length < MASKS_HEADER) {
      masks = readMasks(next);
      next += 12;
    } else {
      masks = compression == BIT_FIELDS ? readMasks(headerAt + INFO_HEADER) : MASKS_888;
    }
    if (bits <= 8) {
      colors = colors == 0 ? 1L << bits : colors;
      int entry = os2 ? 3 : 4;
      readPalette(next, (int) Math.min(colors, 256), entry);
      next = (int) Math.min(file.limit(), next + colors * entry);
    }
    // Where it would begin in the palette, the offset was written without thinking of it.
    boolean behind = offset == 0 || bits <= 8 && offset == FILE_HEADER + (long) length;
    pixelsAt = (int) Math.min(file.limit(), behind ? next : offset);
  }

  static RgbImage decode(byte[] bytes, ImageLimits limits) {
    ByteBuffer file = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    boolean hasFileHeader = bytes[0] == 'B' && bytes[1] == 'M';
    int headerAt = hasFileHeader ? FILE_HEADER : 0;
    if (bytes.length < headerAt + 4 || bytes.length < headerAt + file.getInt(headerAt)) {
      throw ImageFormatException.truncated("the BMP file ends in its header");
    }
    long offset = hasFileHeader ? file.getInt(10) & 0xFFFFFFFFL : 0;
    BmpDecoder decoder = new BmpDecoder(file, headerAt, offset, limits);
    return decoder.pixels();
  }

  static boolean isHeaderLength(int length) {
    return switch (length) {
      case OS2_HEADER, INFO_HEADER, MASKS_HEADER, 56, 64, 108, 124 -> true;
      default -> false;
    };
  }

  private ImageSize checkSize(int at, ImageLimits limits) {
    int height = file.getInt(at + 4);
    return limits.checkSize(
        file.getInt(at) & 0xFFFFFFFFL, topDown ? -(long) height : height & 0xFFFFFFFFL);
  }

  private void checkKind() {
    boolean known =
        switch (compression) {
          case 0 -> bits == 1 || bits == 2 || bits == 4 || bits == 8 || isDirect();
          case RLE8 -> bits == 8;
          case RLE4 -> bits == 4;
          case BIT_FIELDS -> isDirect();
          default -> false;
        };
    if (!known) {
      throw ImageFormatException.unsupported(
          "the BMP file has %d bits per pixel and compression %d, which is not read; save it as PNG"
              .formatted(bits, compression));
    }
  }

  private boolean isDirect() {
    return bits == 16 || bits == 24 || bits == 32;
  }

  private int[] readMasks(int at) {
    if (at + 12 > file.limit()) {
      throw ImageFormatException.truncated("the BMP file ends in its header");
    }
    int[] read = {file.getInt(at), file.getInt(at + 4), file.getInt(at + 8)};
    if ((read[0] | read[1] | read[2]) == 0) {
      return bits == 16 ? MASKS_555 : MASKS_888;
    }
    for (int mask : read) {
      int run = mask >>> Math.min(31, Integer.numberOfTrailingZeros(mask));
      if ((run & run + 1) != 0) {
        throw ImageFormatException.corrupt("the BMP file has a colour mask with holes in it");
      }
    }
    return read;
  }

  /** Entries are blue, green, red; colours that the file does not define are black. */
  private void readPalette(int at, int colors, int entry) {
    for (int i = 0; i < colors && at + i * entry + 3 <= file.limit(); i++) {
      palette[i * 3] = file.get(at + i * entry + 2);
      palette[i * 3 + 1] = file.get(at + i * entry + 1);
      palette[i * 3 + 2] = file.get(at + i * entry);
    }
    if (isGray(colors) && colors != 2) {
      for (int i = 0; i < palette.length; i++) {
        palette[i] = (byte) (i / 3);
      }
    }
  }

  /** Whether every index is its own level of gray: Pillow takes such images for gray ones. */
  private boolean isGray(int colors) {
    for (int i = 0; i < colors * 3; i++) {
      if (palette[i] != (byte) (i / 3)) {
        return false;
      }
    }
    return true;
  }

  private RgbImage pixels() {
    byte[] out = new byte[RgbImage.byteCount(size.width(), size.height())];
    if (compression == RLE8 || compression == RLE4) {
      ByteBuffer runs = file.slice(pixelsAt, file.limit() - pixelsAt);
      // Words are aligned in the file, wherever its pixels begin.
      byte[] indices = BmpRuns.decode(runs, size, compression == RLE4, (pixelsAt & 1) != 0);
      for (int y = 0; y < size.height(); y++) {
        writeIndexed(out, y, x -> indices[x] & 0xFF, y * size.width());
      }
    } else {
      readRows(out);
    }
    return RgbImage.wrap(size.width(), size.height(), out);
  }

  private void readRows(byte[] out) {
    long used = ((long) size.width() * bits + 7) / 8;
    // Rows are padded to words of four bytes.
    long stride = (used + 3) / 4 * 4;
    if (pixelsAt + stride * (size.height() - 1) + used > file.limit()) {
      throw ImageFormatException.truncated(
          "the BMP file ends before its last row: it has %d bytes of pixels and needs %d"
              .formatted(file.limit() - pixelsAt, stride * (size.height() - 1) + used));
    }
    for (int y = 0; y < size.height(); y++) {
      int row = (int) (pixelsAt + stride * y);
      if (bits <= 8) {
        writeIndexed(out, y, x -> index(row, x), 0);
      } else if (compression == 0 && bits != 16) {
        writeBytes(out, y, row);
      } else {
        writeMasked(out, y, row);
      }
    }
  }

  private int index(int row, int x) {
    int bit = x * bits;
    return (file.get(row + (bit >> 3)) & 0xFF) >> (8 - bits - (bit & 7)) & ((1 << bits) - 1);
  }

  private interface Indices {
    int at(int x);
  }

  private void writeIndexed(byte[] out, int y, Indices indices, int from) {
    int to = rowStart(y);
    for (int x = 0; x < size.width(); x++, to += 3) {
      int color = indices.at(from + x) * 3;
      out[to] = palette[color];
      out[to + 1] = palette[color + 1];
      out[to + 2] = palette[color + 2];
    }
  }

  private void writeBytes(byte[] out, int y, int row) {
    int to = rowStart(y);
    for (int x = 0, at = row; x < size.width(); x++, at += bits / 8, to += 3) {
      out[to] = file.get(at + 2);
      out[to + 1] = file.get(at + 1);
      out[to + 2] = file.get(at);
    }
  }

  private void writeMasked(byte[] out, int y, int row) {
    int[] colors = compression == BIT_FIELDS ? masks : MASKS_555;
    int to = rowStart(y);
    for (int x = 0, at = row; x < size.width(); x++, at += bits / 8, to += 3) {
      int pixel =
          switch (bits) {
            case 16 -> short16(at);
            case 24 -> short16(at) | (file.get(at + 2) & 0xFF) << 16;
            default -> file.getInt(at);
          };
      for (int c = 0; c < 3; c++) {
        out[to + c] = (byte) masked(pixel, colors[c]);
      }
    }
  }

  private static int masked(int pixel, int mask) {
    int width = Integer.bitCount(mask);
    if (width == 0) {
      return 0;
    }
    int value = (pixel & mask) >>> Integer.numberOfTrailingZeros(mask);
    return width > 8 ? value >>> (width - 8) : value * 255 / ((1 << width) - 1);
  }

  private int rowStart(int y) {
    return (topDown ? y : size.height() - 1 - y) * size.width() * 3;
  }

  private int short16(int at) {
    return file.getShort(at) & 0xFFFF;
  }
}
