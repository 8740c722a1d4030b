package dev.ocellus.vlm.image.codec;

import dev.ocellus.vlm.image.ImageFormatException;
import dev.ocellus.vlm.image.ImageLimits;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.RgbImage;
import java.util.ArrayList;
import java.util.List;

/**
 * Lossless WebP images (<a href="https://www.rfc-editor.org/rfc/rfc9649#section-3">RFC 9649,
 * section 3</a>) to RGB. The TwelveMonkeys reader refuses some valid ones and is ten times slower.
 */
final class Vp8lDecoder {
  private static final int SIGNATURE = 0x2F;
  private static final int HEADER = 5;
  private static final int LITERALS = 256;
  private static final int LENGTHS = 24;
  private static final int DISTANCES = 40;
  private static final int MAX_CACHE_BITS = 11;

  /**
   * Distances 1 to 120 mean pixels nearby: rows up times 16, plus 8 less columns to the left (RFC
   * 9649, section 3.6.2.2).
   */
  private static final int[] NEARBY = {
    24, 7, 23, 25, 40, 6, 39, 41, 22, 26, 38, 42, 56, 5, 55, 57, 21, 27, 54, 58,
    37, 43, 72, 4, 71, 73, 20, 28, 53, 59, 70, 74, 36, 44, 88, 69, 75, 52, 60, 3,
    87, 89, 19, 29, 86, 90, 35, 45, 68, 76, 85, 91, 51, 61, 104, 2, 103, 105, 18, 30,
    102, 106, 34, 46, 84, 92, 67, 77, 101, 107, 50, 62, 120, 1, 119, 121, 83, 93, 17, 31,
    100, 108, 66, 78, 118, 122, 33, 47, 117, 123, 49, 63, 99, 109, 82, 94, 0, 116, 124, 65,
    79, 16, 32, 98, 110, 48, 115, 125, 81, 95, 64, 114, 126, 97, 111, 80, 113, 127, 96, 112
  };

  private final Vp8lBitReader reader;

  private Vp8lDecoder(Vp8lBitReader reader) {
    this.reader = reader;
  }

  /** Decodes the image in bytes {@code start} to {@code end} of a file. */
  static RgbImage decode(byte[] file, int start, int end, ImageLimits limits) {
    if (end - start < HEADER || file[start] != SIGNATURE) {
      throw ImageFormatException.corrupt("the WebP file has no lossless image where it should");
    }
    Vp8lBitReader reader = new Vp8lBitReader(file, start + 1, end);
    int width = 1 + reader.read(14);
    int height = 1 + reader.read(14);
    ImageSize size = limits.checkSize(width, height);
    // Whether alpha is used plays no part; the version is 0.
    if (reader.read(4) >> 1 != 0) {
      throw ImageFormatException.unsupported("the WebP file has a version that is not known");
    }
    return toRgb(size, new Vp8lDecoder(reader).readImage(width, height));
  }

  private static RgbImage toRgb(ImageSize size, int[] pixels) {
    byte[] out = new byte[RgbImage.byteCount(size.width(), size.height())];
    for (int i = 0, to = 0; i < pixels.length; i++, to += 3) {
      out[to] = (byte) (pixels[i] >> 16);
      out[to + 1] = (byte) (pixels[i] >> 8);
      out[to + 2] = (byte) pixels[i];
    }
    return RgbImage.wrap(size.width(), size.height(), out);
  }

  private int[] readImage(int width, int height) {
    List<Vp8lTransform> transforms = new ArrayList<>();
    int storedWidth = width;
    int seen = 0;
    while (reader.flag()) {
      int type = reader.read(2);
      if ((seen & 1 << type) != 0) {
        throw ImageFormatException.corrupt("the WebP file applies a transform twice");
      }
      seen |= 1 << type;
      Vp8lTransform transform = readTransform(type, storedWidth, height);
      transforms.add(transform);
      if (transform instanceof Vp8lTransform.Palette palette) {
        storedWidth = Vp8lTransform.blocks(width, palette.bits());
      }
    }
    int[] pixels = readPixels(storedWidth, height, true);
    // Width only changes at the palette: what comes after it in the file works on packed pixels.
    for (Vp8lTransform transform : transforms.reversed()) {
      storedWidth = transform instanceof Vp8lTransform.Palette ? width : storedWidth;
      pixels = transform.undo(pixels, storedWidth, height);
    }
    return pixels;
  }

  private Vp8lTransform readTransform(int type, int width, int height) {
    switch (type) {
      case 0, 1 -> {
        int bits = 2 + reader.read(3);
        int[] blocks =
            readPixels(
                Vp8lTransform.blocks(width, bits), Vp8lTransform.blocks(height, bits), false);
        return type == 0
            ? new Vp8lTransform.Predictor(bits, blocks)
            : new Vp8lTransform.CrossColor(bits, blocks);
      }
      case 2 -> {
        return new Vp8lTransform.SubtractGreen();
      }
      default -> {
        int count = 1 + reader.read(8);
        int bits = count > 16 ? 0 : count > 4 ? 1 : count > 2 ? 2 : 3;
        // Every colour is a difference from the one before.
        int[] colors = readPixels(count, 1, false);
        for (int i = 1; i < count; i++) {
          colors[i] = Vp8lTransform.add(colors[i], colors[i - 1]);
        }
        return new Vp8lTransform.Palette(bits, colors);
      }
    }
  }

  /** Reads an entropy-coded image; only the main one is divided into blocks with own codes. */
  private int[] readPixels(int width, int height, boolean main) {
    int cacheBits = reader.flag() ? reader.read(4) : 0;
    if (cacheBits > MAX_CACHE_BITS) {
      throw ImageFormatException.corrupt("the WebP file has a colour cache of 2^" + cacheBits);
    }
    // Without blocks, everything is in block 0.
    int blockBits = 30;
    int[] blocks = {0};
    if (main && reader.flag()) {
      blockBits = 2 + reader.read(3);
      blocks =
          readPixels(
              Vp8lTransform.blocks(width, blockBits),
              Vp8lTransform.blocks(height, blockBits),
              false);
    }
    int groups = 0;
    for (int i = 0; i < blocks.length; i++) {
      blocks[i] = blocks[i] >> 8 & 0xFFFF;
      groups = Math.max(groups, blocks[i] + 1);
    }
    int cacheSize = cacheBits == 0 ? 0 : 1 << cacheBits;
    List<Codes> codes = new ArrayList<>();
    for (int i = 0; i < groups; i++) {
      codes.add(new Codes(reader, cacheSize));
    }
    return readPixels(width, height, cacheBits, blockBits, blocks, codes);
  }

  /** The five codes of a block. */
  private static final class Codes {
    final Vp8lPrefixCode green;
    final Vp8lPrefixCode red;
    final Vp8lPrefixCode blue;
    final Vp8lPrefixCode alpha;
    final Vp8lPrefixCode distance;

    Codes(Vp8lBitReader reader, int cacheSize) {
      green = Vp8lPrefixCode.read(reader, LITERALS + LENGTHS + cacheSize);
      red = Vp8lPrefixCode.read(reader, LITERALS);
      blue = Vp8lPrefixCode.read(reader, LITERALS);
      alpha = Vp8lPrefixCode.read(reader, LITERALS);
      distance = Vp8lPrefixCode.read(reader, DISTANCES);
    }
  }

  private int[] readPixels(
      int width, int height, int cacheBits, int blockBits, int[] blocks, List<Codes> codes) {
    int[] pixels = new int[Math.multiplyExact(width, height)];
    int[] cache = new int[1 << cacheBits];
    int columns = Vp8lTransform.blocks(width, blockBits);
    int at = 0;
    while (at < pixels.length) {
      int x = at % width;
      int y = at / width;
      Codes group = codes.get(blocks[(y >> blockBits) * columns + (x >> blockBits)]);
      // Codes change at the end of a block, at the latest at the end of the row.
      int end = at - x + (int) Math.min(width, ((x >> blockBits) + 1L) << blockBits);
      while (at < end) {
        int symbol = group.green.read(reader);
        int start = at;
        if (symbol < LITERALS) {
          int red = group.red.read(reader);
          int blue = group.blue.read(reader);
          pixels[at++] = group.alpha.read(reader) << 24 | red << 16 | symbol << 8 | blue;
        } else if (symbol < LITERALS + LENGTHS) {
          int length = readPrefixed(symbol - LITERALS);
          int distance = distance(readPrefixed(group.distance.read(reader)), width);
          if (distance > at || length > pixels.length - at) {
            throw ImageFormatException.corrupt("the WebP file copies pixels that are not there");
          }
          for (int i = 0; i < length; i++, at++) {
            pixels[at] = pixels[at - distance];
          }
        } else {
          pixels[at++] = cache[symbol - LITERALS - LENGTHS];
        }
        if (cacheBits > 0) {
          for (int i = start; i < at; i++) {
            cache[0x1E35A7BD * pixels[i] >>> (32 - cacheBits)] = pixels[i];
          }
        }
      }
    }
    return pixels;
  }

  /** A length or distance: small ones are symbols, of large ones the lower bits follow. */
  private int readPrefixed(int symbol) {
    if (symbol < 4) {
      return symbol + 1;
    }
    int bits = (symbol - 2) >> 1;
    return ((2 + (symbol & 1)) << bits) + reader.read(bits) + 1;
  }

  private static int distance(int code, int width) {
    if (code > NEARBY.length) {
      return code - NEARBY.length;
    }
    int nearby = NEARBY[code - 1];
    return Math.max(1, (nearby >> 4) * width + 8 - (nearby & 15));
  }
}
