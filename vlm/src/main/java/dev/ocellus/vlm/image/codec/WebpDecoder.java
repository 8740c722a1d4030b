package dev.ocellus.vlm.image.codec;

import dev.ocellus.vlm.image.ImageFormatException;
import dev.ocellus.vlm.image.ImageLimits;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.Rgb;
import dev.ocellus.vlm.image.RgbImage;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * WebP files (<a href="https://www.rfc-editor.org/rfc/rfc9649">RFC 9649</a>): the container, and of
 * an animation the first frame. Alpha is not read, since it is dropped.
 *
 * <p>Both kinds of images are decoded here because the TwelveMonkeys reader (3.12 and 3.13) is off
 * by 5 levels in the mean and by 50 in places on lossy ones, where it predicts from filtered
 * samples, and refuses some lossless ones.
 */
final class WebpDecoder {
  private static final int CHUNK_HEADER = 8;
  private static final int FRAME_HEADER = 16;

  /** Flags of the extended header; libwebp knows nothing of metadata that these do not announce. */
  private static final int HAS_XMP = 4;

  private static final int HAS_EXIF = 8;

  private final byte[] file;
  private final ByteBuffer data;
  private final ImageLimits limits;
  private @Nullable RgbImage image;
  private @Nullable ByteBuffer exif;
  private @Nullable ByteBuffer xmp;

  private int flags;

  /** Size of an animation's canvas, or null. */
  private @Nullable ImageSize canvas;

  private WebpDecoder(byte[] file, ImageLimits limits) {
    this.file = file;
    this.data = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
    this.limits = limits;
  }

  static RgbImage decode(byte[] file, ImageLimits limits) {
    if (file.length < 12) {
      throw ImageFormatException.truncated("the WebP file ends in its header");
    }
    WebpDecoder decoder = new WebpDecoder(file, limits);
    long end = CHUNK_HEADER + (decoder.data.getInt(4) & 0xFFFFFFFFL);
    if (end > file.length) {
      throw ImageFormatException.truncated(
          "the WebP file is truncated: it has %d of its %d bytes".formatted(file.length, end));
    }
    decoder.readChunks(12, (int) end);
    if (decoder.image == null) {
      throw ImageFormatException.corrupt("the WebP file has no image");
    }
    return Exif.orientation(decoder.exif, decoder.xmp).apply(decoder.image);
  }

  private void readChunks(int start, int end) {
    int at = start;
    while (end - at >= CHUNK_HEADER) {
      int body = at + CHUNK_HEADER;
      long length = data.getInt(at + 4) & 0xFFFFFFFFL;
      if (length > end - body) {
        throw ImageFormatException.truncated("a chunk of the WebP file goes beyond its end");
      }
      readChunk(data.getInt(at), body, body + (int) length);
      // Chunks are padded to even lengths.
      at = (int) Math.min(end, body + length + (length & 1));
    }
  }

  private void readChunk(int tag, int start, int end) {
    if (tag == tag("EXIF")) {
      exif = exif == null && (flags & HAS_EXIF) != 0 ? data.slice(start, end - start) : exif;
    } else if (tag == tag("XMP ")) {
      xmp = xmp == null && (flags & HAS_XMP) != 0 ? data.slice(start, end - start) : xmp;
    } else if (image != null) {
      // Later frames of an animation.
      return;
    } else if (tag == tag("VP8 ")) {
      image = Vp8Decoder.decode(file, start, end, limits);
    } else if (tag == tag("VP8L")) {
      image = Vp8lDecoder.decode(file, start, end, limits);
    } else if (tag == tag("VP8X") && end - start >= 10) {
      flags = data.get(start);
      canvas = limits.checkSize(1L + number24(start + 4), 1L + number24(start + 7));
    } else if (tag == tag("ANMF") && end - start >= FRAME_HEADER) {
      readFrame(start, end);
    }
  }

  /** The first frame of an animation, on a canvas that is black where the frame is not. */
  private void readFrame(int start, int end) {
    int x = 2 * number24(start);
    int y = 2 * number24(start + 3);
    readChunks(start + FRAME_HEADER, end);
    RgbImage frame = image;
    if (frame == null || canvas == null) {
      throw ImageFormatException.corrupt("the WebP animation has no first frame or no size");
    }
    int right = canvas.width() - x - frame.width();
    int bottom = canvas.height() - y - frame.height();
    if (right < 0 || bottom < 0) {
      throw ImageFormatException.corrupt("a frame of the WebP animation leaves its canvas");
    }
    image = frame.pad(x, y, right, bottom, Rgb.BLACK);
  }

  private int number24(int at) {
    return data.get(at) & 0xFF | (data.get(at + 1) & 0xFF) << 8 | (data.get(at + 2) & 0xFF) << 16;
  }

  private static int tag(String name) {
    return name.charAt(0) | name.charAt(1) << 8 | name.charAt(2) << 16 | name.charAt(3) << 24;
  }
}
