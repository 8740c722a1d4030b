package dev.ocellus.vlm.image.codec;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import dev.ocellus.vlm.image.ImageFormatException;
import dev.ocellus.vlm.image.ImageLimits;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.RgbImage;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/**
 * PNG (ISO/IEC 15948) to RGB with the pixels of Pillow. Written out because Java's own reader loads
 * AWT's native library first, and applies neither orientation nor Pillow's rules for 16 bits.
 *
 * <p>tRNS, gAMA, iCCP and the like do not change the result, since alpha is dropped and colour is
 * not managed.
 */
final class PngDecoder {
  private static final int GRAY = 0;
  private static final int RGB = 2;
  private static final int PALETTE = 3;
  private static final int GRAY_ALPHA = 4;
  private static final int RGB_ALPHA = 6;

  /** Start and step of the passes of an interlaced image: x, y, step in x, step in y. */
  private static final int[][] ADAM7 = {
    {0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}
  };

  private static final int[][] ONE_PASS = {{0, 0, 1, 1}};

  private final ByteBuffer file;
  private final List<ByteBuffer> data = new ArrayList<>();
  private final byte[] palette = new byte[256 * 3];
  private boolean hasPalette;
  private final PngMetadata metadata = new PngMetadata();
  private boolean animated;
  private int width;
  private int height;
  private int depth;
  private int colorType;
  private boolean interlaced;

  private PngDecoder(byte[] file) {
    this.file = ByteBuffer.wrap(file);
  }

  static RgbImage decode(byte[] file, ImageLimits limits) {
    PngDecoder decoder = new PngDecoder(file);
    decoder.readChunks(limits);
    return decoder.metadata.orientation().apply(decoder.pixels());
  }

  private void readChunks(ImageLimits limits) {
    file.position(8);
    boolean ended = false;
    boolean first = true;
    while (!ended && file.remaining() >= 12) {
      long length = file.getInt() & 0xFFFFFFFFL;
      byte[] type = new byte[4];
      file.get(type);
      String name = new String(type, ISO_8859_1);
      if (first && !(name.equals("IHDR") && length == 13)) {
        throw ImageFormatException.corrupt("the PNG file does not start with a header chunk");
      }
      boolean whole = length + 4 <= file.remaining();
      if (!whole && !name.equals("IDAT")) {
        break;
      }
      int size = (int) Math.min(length, file.remaining());
      ByteBuffer chunk = file.slice(file.position(), size);
      if (whole && data.isEmpty() && !name.equals("IDAT")) {
        checkCrc(name, size);
      }
      switch (name) {
        case "IHDR" -> readHeader(chunk, limits);
        case "PLTE" -> readPalette(chunk);
        case "IDAT" -> data.add(chunk);
        case "acTL" -> animated |= size >= 4 && chunk.getInt(0) > 1;
        // What follows belongs to the second frame of an animation.
        case "fcTL" -> ended = animated && !data.isEmpty();
        case "IEND" -> ended = true;
        default -> metadata.read(name, chunk);
      }
      first = false;
      file.position(file.position() + size + (whole ? 4 : 0));
    }
    if (first || data.isEmpty()) {
      throw ImageFormatException.truncated("the PNG file ends before its pixels");
    }
  }

  private void checkCrc(String name, int size) {
    CRC32 crc = new CRC32();
    crc.update(file.slice(file.position() - 4, size + 4));
    if ((int) crc.getValue() != file.getInt(file.position() + size)) {
      throw ImageFormatException.corrupt("the checksum of the PNG chunk " + name + " is wrong");
    }
  }

  private void readHeader(ByteBuffer chunk, ImageLimits limits) {
    ImageSize size = limits.checkSize(chunk.getInt(0) & 0xFFFFFFFFL, chunk.getInt(4) & 0xFFFFFFFFL);
    width = size.width();
    height = size.height();
    depth = chunk.get(8);
    colorType = chunk.get(9);
    interlaced = chunk.get(12) != 0;
    boolean valid =
        switch (colorType) {
          case GRAY -> depth == 1 || depth == 2 || depth == 4 || depth == 8 || depth == 16;
          case PALETTE -> depth == 1 || depth == 2 || depth == 4 || depth == 8;
          case RGB, GRAY_ALPHA, RGB_ALPHA -> depth == 8 || depth == 16;
          default -> false;
        };
    if (!valid || chunk.get(10) != 0 || chunk.get(11) != 0) {
      throw ImageFormatException.corrupt(
          "the PNG header asks for colour type %d with %d bits, compression %d, filter %d"
              .formatted(colorType, depth, chunk.get(10), chunk.get(11)));
    }
  }

  private void readPalette(ByteBuffer chunk) {
    hasPalette = true;
    // Colours that the palette does not define stay black, as in Pillow.
    chunk.get(palette, 0, Math.min(chunk.remaining() / 3 * 3, palette.length));
  }

  private RgbImage pixels() {
    if (colorType == PALETTE && !hasPalette) {
      throw ImageFormatException.corrupt("the PNG file has a palette image but no palette");
    }
    byte[] out = new byte[RgbImage.byteCount(width, height)];
    int samples =
        switch (colorType) {
          case RGB -> 3;
          case GRAY_ALPHA -> 2;
          case RGB_ALPHA -> 4;
          default -> 1;
        };
    int bitsPerPixel = samples * depth;
    try (InflaterHandle inflater = new InflaterHandle()) {
      for (int[] pass : interlaced ? ADAM7 : ONE_PASS) {
        int columns = Math.ceilDiv(width - pass[0], pass[2]);
        int rows = Math.ceilDiv(height - pass[1], pass[3]);
        if (columns > 0 && rows > 0) {
          readPass(inflater, pass, columns, rows, bitsPerPixel, out);
        }
      }
      inflater.checkEnd();
    }
    return RgbImage.wrap(width, height, out);
  }

  private void readPass(
      InflaterHandle inflater, int[] pass, int columns, int rows, int bitsPerPixel, byte[] out) {
    // Index 0 is the filter type; the row above the first one is zero.
    byte[] row = new byte[1 + (int) (((long) columns * bitsPerPixel + 7) / 8)];
    byte[] above = new byte[row.length];
    int pixelBytes = Math.max(1, bitsPerPixel / 8);
    for (int i = 0; i < rows; i++) {
      inflater.read(row);
      unfilter(row, above, pixelBytes);
      int y = pass[1] + i * pass[3];
      writeRow(row, columns, out, (y * width + pass[0]) * 3, pass[2] * 3);
      byte[] swap = above;
      above = row;
      row = swap;
    }
  }

  private static void unfilter(byte[] row, byte[] above, int pixelBytes) {
    int start = 1 + pixelBytes;
    switch (row[0]) {
      case 0 -> {}
      case 1 -> {
        for (int i = start; i < row.length; i++) {
          row[i] += row[i - pixelBytes];
        }
      }
      case 2 -> {
        for (int i = 1; i < row.length; i++) {
          row[i] += above[i];
        }
      }
      case 3 -> {
        for (int i = 1; i < row.length; i++) {
          int left = i >= start ? row[i - pixelBytes] & 0xFF : 0;
          row[i] += (byte) ((left + (above[i] & 0xFF)) >> 1);
        }
      }
      case 4 -> {
        for (int i = 1; i < row.length; i++) {
          int left = i >= start ? row[i - pixelBytes] & 0xFF : 0;
          int corner = i >= start ? above[i - pixelBytes] & 0xFF : 0;
          row[i] += (byte) paeth(left, above[i] & 0xFF, corner);
        }
      }
      default -> throw ImageFormatException.corrupt("the PNG file has a row filter " + row[0]);
    }
  }

  /** The neighbour that is nearest to left + up - corner. */
  private static int paeth(int left, int up, int corner) {
    int distanceLeft = Math.abs(up - corner);
    int distanceUp = Math.abs(left - corner);
    int distanceCorner = Math.abs(left + up - 2 * corner);
    if (distanceLeft <= distanceUp && distanceLeft <= distanceCorner) {
      return left;
    }
    return distanceUp <= distanceCorner ? up : corner;
  }

  /** Converts the pixels of a row and writes every one {@code step} bytes after the last. */
  private void writeRow(byte[] row, int columns, byte[] out, int to, int step) {
    switch (colorType) {
      case RGB, RGB_ALPHA -> {
        // Of 16 bits the first byte is the upper one.
        int sample = depth / 8;
        int pixel = sample * (colorType == RGB ? 3 : 4);
        for (int x = 0, at = 1; x < columns; x++, at += pixel, to += step) {
          out[to] = row[at];
          out[to + 1] = row[at + sample];
          out[to + 2] = row[at + 2 * sample];
        }
      }
      case PALETTE -> {
        for (int x = 0; x < columns; x++, to += step) {
          int color = packed(row, x) * 3;
          out[to] = palette[color];
          out[to + 1] = palette[color + 1];
          out[to + 2] = palette[color + 2];
        }
      }
      default -> {
        for (int x = 0; x < columns; x++, to += step) {
          byte value = (byte) gray(row, x);
          out[to] = value;
          out[to + 1] = value;
          out[to + 2] = value;
        }
      }
    }
  }

  private int gray(byte[] row, int x) {
    if (colorType == GRAY_ALPHA) {
      return row[1 + x * 2 * (depth / 8)];
    }
    if (depth == 16) {
      // Pillow reads 16-bit gray as integers and clips these.
      return row[1 + 2 * x] != 0 ? 255 : row[2 + 2 * x];
    }
    return packed(row, x) * (255 / ((1 << depth) - 1));
  }

  /** Sample x of a row with one sample of at most 8 bits per pixel. */
  private int packed(byte[] row, int x) {
    int bit = x * depth;
    return (row[1 + (bit >> 3)] & 0xFF) >> (8 - depth - (bit & 7)) & ((1 << depth) - 1);
  }

  /** Inflates the data chunks one after the other. */
  private final class InflaterHandle implements AutoCloseable {
    private final Inflater inflater = new Inflater();
    private int next;

    void read(byte[] row) {
      int at = 0;
      while (at < row.length) {
        int n = inflate(row, at, row.length - at);
        if (n == 0) {
          throw ImageFormatException.truncated("the PNG file ends before its last row");
        }
        at += n;
      }
    }

    /** Reads on to the checksum, which fails if a byte of the pixels is not what it was. */
    void checkEnd() {
      byte[] rest = new byte[1];
      int unused = inflate(rest, 0, 1);
    }

    /** At least one byte, or 0 at the end of the data. */
    private int inflate(byte[] to, int at, int length) {
      try {
        while (true) {
          int n = inflater.inflate(to, at, length);
          if (n > 0 || inflater.finished()) {
            return n;
          }
          if (inflater.needsDictionary()) {
            throw ImageFormatException.corrupt("the PNG file asks for a preset dictionary");
          }
          if (next == data.size()) {
            return 0;
          }
          inflater.setInput(data.get(next++));
        }
      } catch (DataFormatException e) {
        throw new ImageFormatException(
            ImageFormatException.Kind.CORRUPT,
            "the compressed pixels of the PNG file are broken (" + e.getMessage() + ")",
            e);
      }
    }

    @Override
    public void close() {
      inflater.end();
    }
  }
}
