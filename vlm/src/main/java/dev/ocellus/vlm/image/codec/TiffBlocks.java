package dev.ocellus.vlm.image.codec;

import dev.ocellus.vlm.image.ImageFormatException;
import dev.ocellus.vlm.image.ImageFormatException.Kind;
import dev.ocellus.vlm.image.ImageLimits;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import org.jspecify.annotations.Nullable;

/** Strips and tiles of a TIFF file, decompressed. */
final class TiffBlocks {
  private static final int LZW = 5;
  private static final int JPEG = 7;
  private static final int ADOBE_DEFLATE = 8;
  private static final int PACK_BITS = 32773;
  private static final int DEFLATE = 32946;

  private static final byte[] JPEG_START = {(byte) 0xFF, (byte) 0xD8};

  /** How often the bytes of a file may be copied: blocks may claim to reach to its end. */
  private static final int MAX_COPIES = 64;

  private final byte[] file;
  private final TiffLayout layout;
  private final ImageLimits limits;
  private final boolean littleEndian;
  private final byte[] jpegTables;
  private final TiffLzw lzw = new TiffLzw();
  private long mayCopy;

  TiffBlocks(byte[] file, TiffDirectory tags, TiffLayout layout, ImageLimits limits) {
    this.file = file;
    this.layout = layout;
    this.limits = limits;
    this.littleEndian = tags.isLittleEndian();
    this.jpegTables = bytes(tags.bytes(TiffDirectory.JPEG_TABLES));
    this.mayCopy = (long) MAX_COPIES * file.length;
  }

  private static byte[] bytes(@Nullable ByteBuffer buffer) {
    byte[] bytes = new byte[buffer == null ? 0 : buffer.remaining()];
    if (buffer != null) {
      buffer.get(bytes);
    }
    return bytes;
  }

  /** Whether {@link #read} gives RGB where the file has luma and chroma. */
  boolean givesRgb() {
    return layout.compression() == JPEG && layout.isYcc() && !layout.planar();
  }

  /**
   * The samples of a block as the file would have them without compression.
   *
   * @param number of the block, from 0
   * @param length in bytes, of a whole block
   */
  byte[] read(int number, int length) throws IOException {
    int start = (int) Math.clamp(layout.offsets()[index(number)], 0, file.length);
    int end = end(number, start, length);
    byte[] in = file;
    if (layout.reversedBits() && layout.compression() != JPEG) {
      in = reversed(start, end);
      end -= start;
      start = 0;
    }
    if (layout.compression() == JPEG) {
      return jpeg(start, end, length);
    }
    byte[] out = new byte[length];
    int written =
        switch (layout.compression()) {
          case TiffLayout.UNCOMPRESSED -> copy(in, start, end, out);
          case LZW -> lzw.decode(in, start, end, out);
          case ADOBE_DEFLATE, DEFLATE -> inflate(in, start, end, out);
          case PACK_BITS -> unpackBits(in, start, end, out);
          default -> throw unknownCompression();
        };
    if (written < length) {
      throw ImageFormatException.truncated(
          "strip or tile %d of the TIFF file has %d of its %d bytes"
              .formatted(number, written, length));
    }
    if (layout.compression() != TiffLayout.UNCOMPRESSED && layout.compression() != PACK_BITS) {
      TiffPredictor.undo(out, layout, littleEndian);
    }
    return out;
  }

  /** Where several strips claim to be the whole image, the last one is. */
  private int index(int number) {
    boolean whole =
        layout.compression() == TiffLayout.UNCOMPRESSED
            && !layout.planar()
            && layout.block().equals(layout.size());
    return whole ? layout.offsets().length - 1 : number;
  }

  private int end(int number, int start, int length) {
    if (layout.compression() == TiffLayout.UNCOMPRESSED) {
      return (int) Math.min(file.length, (long) start + length);
    }
    long[] lengths = layout.lengths();
    long given = number < lengths.length ? lengths[number] : 0;
    return given > 0 ? (int) Math.min(file.length, start + given) : file.length;
  }

  private byte[] reversed(int start, int end) {
    byte[] bytes = part(start, end);
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) (Integer.reverse(bytes[i]) >>> 24);
    }
    return bytes;
  }

  private byte[] part(int start, int end) {
    spend(end - start);
    return Arrays.copyOfRange(file, start, end);
  }

  private void spend(int bytes) {
    mayCopy -= bytes;
    if (mayCopy < 0) {
      throw ImageFormatException.corrupt(
          "the strips or tiles of the TIFF file overlap more than those of any real one");
    }
  }

  private static int copy(byte[] in, int start, int end, byte[] out) {
    System.arraycopy(in, start, out, 0, end - start);
    return end - start;
  }

  private static int inflate(byte[] in, int start, int end, byte[] out) {
    Inflater inflater = new Inflater();
    try {
      inflater.setInput(in, start, end - start);
      int written = 0;
      while (written < out.length) {
        int n = inflater.inflate(out, written, out.length - written);
        if (n == 0) {
          break;
        }
        written += n;
      }
      return written;
    } catch (DataFormatException e) {
      throw new ImageFormatException(
          Kind.CORRUPT,
          "the compressed pixels of the TIFF file are broken (" + e.getMessage() + ")",
          e);
    } finally {
      inflater.end();
    }
  }

  private static int unpackBits(byte[] in, int start, int end, byte[] out) {
    int at = start;
    int written = 0;
    while (written < out.length && at < end) {
      int count = in[at++];
      if (count >= 0) {
        int n = Math.min(Math.min(count + 1, end - at), out.length - written);
        System.arraycopy(in, at, out, written, n);
        at += n;
        written += n;
      } else if (count != -128 && at < end) {
        int n = Math.min(1 - count, out.length - written);
        Arrays.fill(out, written, written + n, in[at++]);
        written += n;
      }
    }
    return written;
  }

  /** A block that is a JPEG file, whose tables the directory may hold. */
  private byte[] jpeg(int start, int end, int length) throws IOException {
    byte[] stream = part(start, end);
    if (jpegTables.length > 4 && stream.length > 2) {
      // Between the start of the tables and their end marker, and instead of the block's start.
      int tables = jpegTables.length - 2;
      spend(tables);
      byte[] whole = Arrays.copyOf(jpegTables, tables + stream.length - JPEG_START.length);
      System.arraycopy(stream, 2, whole, tables, stream.length - 2);
      stream = whole;
    }
    JpegSamples samples = JpegDecoder.samples(stream, limits);
    int count = layout.samplesPerBlock();
    if (samples.count() != count
        || samples.size().width() != layout.block().width()
        || samples.size().height() * (long) layout.rowBytes() < length) {
      throw ImageFormatException.corrupt(
          "a block of the TIFF file is a JPEG image of %s with %d components, and not of %s with %d"
              .formatted(samples.size(), samples.count(), layout.block(), count));
    }
    return givesRgb() ? samples.yccToRgb() : samples.data();
  }

  private ImageFormatException unknownCompression() {
    String name =
        switch (layout.compression()) {
          case 34925 -> "LZMA";
          case 50000 -> "Zstandard";
          case 50001 -> "WebP";
          case 50002 -> "JPEG XL";
          case 33003, 33005, 34712 -> "JPEG 2000";
          default -> "kind " + layout.compression();
        };
    return ImageFormatException.unsupported(
        "the TIFF file has compression of "
            + name
            + ", which is not read; save it with LZW or Deflate, or as PNG");
  }
}
