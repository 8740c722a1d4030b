package dev.ocellus.vlm.image.codec;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import dev.ocellus.vlm.image.ImageFormatException;
import dev.ocellus.vlm.image.ImageLimits;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.Orientation;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The markers of a JPEG file (ITU-T T.81): size, components, metadata, and where its scans end.
 *
 * <p>Everything that the entropy-coded data do not hold is read here, so that limits are checked
 * first, and so that the decoder behind gets a file without profiles and metadata, with which it
 * could only do harm.
 */
final class JpegHeader {
  private static final int SOI = 0xD8;
  private static final int EOI = 0xD9;
  private static final int SOS = 0xDA;
  private static final int DHT = 0xC4;
  private static final int JPG = 0xC8;
  private static final int DAC = 0xCC;
  private static final int COM = 0xFE;

  /** Bytes of a frame header before its components: precision, height, width, their number. */
  private static final int FRAME_FIELDS = 6;

  private static final byte[] EXIF = "Exif\0\0".getBytes(ISO_8859_1);
  private static final byte[] XMP = "http://ns.adobe.com/xap/1.0/\0".getBytes(ISO_8859_1);
  private static final byte[] JFIF = "JFIF\0".getBytes(ISO_8859_1);
  private static final byte[] ADOBE = "Adobe".getBytes(ISO_8859_1);

  /** One colour component: its id and its share of the largest sampling factors. */
  record Component(int id, int horizontal, int vertical) {}

  private final byte[] file;
  private final ByteArrayOutputStream kept = new ByteArrayOutputStream();
  private final ByteArrayOutputStream exif = new ByteArrayOutputStream();
  private @Nullable ByteBuffer xmp;
  private ImageSize size = new ImageSize(1, 1);
  private Component[] components = {};
  private boolean jfif;

  /** The colour transform that an Adobe marker names, or -1 without one. */
  private int adobeTransform = -1;

  /** Where the components stand in what is kept, and the scans in the file. */
  private int componentsAt;

  private final List<Integer> scanStarts = new ArrayList<>();
  private final int keptToFile;
  private int scans;
  private int end;

  JpegHeader(byte[] file, ImageLimits limits) {
    this.file = file;
    kept.write(file, 0, 2);
    int scanStart = readSegments(limits);
    keptToFile = scanStart - kept.size();
    kept.write(file, scanStart, findEnd(scanStart) - scanStart);
  }

  ImageSize size() {
    return size;
  }

  Component[] components() {
    return components;
  }

  /** Number of scans: 1 of a baseline file, about 10 of a progressive one. */
  int scans() {
    return scans;
  }

  Orientation orientation() {
    return Exif.orientation(ByteBuffer.wrap(exif.toByteArray()), xmp);
  }

  /** The file without application segments and comments, from its start to its end marker. */
  byte[] withoutMetadata() {
    byte[] jpeg = kept.toByteArray();
    long ids = Arrays.stream(components).map(Component::id).distinct().count();
    if (ids < components.length) {
      int[] starts = scanStarts.stream().mapToInt(start -> start - keptToFile).toArray();
      JpegComponentIds.makeUnique(jpeg, componentsAt, starts);
    }
    return jpeg;
  }

  /** Whether the three, or the first three of four, components are luma and chroma. */
  boolean isYcc() {
    if (components.length == 3) {
      if (jfif || adobeTransform > 0) {
        return true;
      }
      boolean namedRgb =
          components[0].id() == 'R' && components[1].id() == 'G' && components[2].id() == 'B';
      return adobeTransform != 0 && !namedRgb;
    }
    return components.length == 4 && adobeTransform > 0;
  }

  /** Reads up to the first scan and returns where its marker stands. */
  private int readSegments(ImageLimits limits) {
    int at = 2;
    while (true) {
      while (byteAt(at) != 0xFF) {
        at++;
      }
      int start = at;
      while (byteAt(at) == 0xFF) {
        at++;
      }
      int marker = byteAt(at++);
      if (marker == SOS) {
        if (components.length == 0) {
          throw ImageFormatException.corrupt("the JPEG file has pixels before its header");
        }
        return start;
      }
      if (marker == EOI) {
        throw ImageFormatException.corrupt("the JPEG file has no pixels");
      }
      if (isBare(marker)) {
        continue;
      }
      int length = byteAt(at) << 8 | byteAt(at + 1);
      if (length < 2) {
        throw ImageFormatException.corrupt("the JPEG file has a segment of length " + length);
      }
      int next = at + length;
      if (next > file.length) {
        throw truncated();
      }
      ByteBuffer body = ByteBuffer.wrap(file, at + 2, length - 2).slice();
      if (marker >= 0xE0 && marker <= 0xEF) {
        readApplicationSegment(marker, body);
      } else if (marker != COM) {
        if (isFrame(marker)) {
          readFrame(marker, body, limits);
          componentsAt = kept.size() + (at + 2 - start) + FRAME_FIELDS;
        }
        kept.write(file, start, next - start);
      }
      at = next;
    }
  }

  private void readFrame(int marker, ByteBuffer body, ImageLimits limits) {
    if (marker > 0xC2) {
      String kind = marker >= 0xC9 ? "arithmetic coding" : "lossless or hierarchical coding";
      throw ImageFormatException.unsupported(
          "the JPEG file uses " + kind + ", which is not read; save it as baseline JPEG or PNG");
    }
    if (components.length > 0) {
      throw ImageFormatException.corrupt("the JPEG file has two headers");
    }
    int precision = body.get();
    if (precision != 8) {
      throw ImageFormatException.unsupported(
          "the JPEG file has %d bits per sample and only 8 are read; save it with 8 bits or as PNG"
              .formatted(precision));
    }
    int height = body.getShort() & 0xFFFF;
    int width = body.getShort() & 0xFFFF;
    size = limits.checkSize(width, height);
    int count = body.get();
    if (count != 1 && count != 3 && count != 4) {
      throw ImageFormatException.corrupt(
          "the JPEG file has %d colour components; 1, 3 and 4 are known".formatted(count));
    }
    components = new Component[count];
    for (int i = 0; i < count; i++) {
      int id = body.get() & 0xFF;
      int factors = body.get();
      components[i] = new Component(id, factors >> 4 & 0xF, factors & 0xF);
      body.get();
    }
  }

  private void readApplicationSegment(int marker, ByteBuffer body) {
    switch (marker) {
      case 0xE0 -> jfif |= body.remaining() >= 14 && startsWith(body, JFIF);
      case 0xE1 -> {
        if (startsWith(body, EXIF)) {
          // Metadata that do not fit into one segment go on in the next.
          exif.writeBytes(bytes(body.position(EXIF.length)));
        } else if (startsWith(body, XMP)) {
          xmp = body.position(XMP.length).slice();
        }
      }
      case 0xEE -> {
        if (body.remaining() >= 12 && startsWith(body, ADOBE)) {
          adobeTransform = body.get(11) & 0xFF;
        }
      }
      default -> {}
    }
  }

  /**
   * The position after the end marker. Java's decoder fills what a truncated file lacks with gray
   * and only warns; Pillow refuses such a file, and so do we.
   */
  private int findEnd(int scanStart) {
    int at = scanStart;
    while (true) {
      while (byteAt(at) != 0xFF) {
        at++;
      }
      int marker = byteAt(++at);
      if (marker == EOI) {
        end = at + 1;
        return end;
      }
      if (marker == SOS) {
        scans++;
        scanStarts.add(at);
      }
      // 0xFF 0xFF is fill, 0xFF 0x00 a data byte. Segments are only skipped where they are known
      // ones: in broken data anything may look like a marker.
      if (marker == SOS || marker == DHT || marker == 0xDB || marker == 0xDD || marker >= 0xE0) {
        if (marker != 0xFF) {
          at += 1 + (byteAt(at + 1) << 8 | byteAt(at + 2));
        }
      }
    }
  }

  private int byteAt(int at) {
    if (at >= file.length) {
      throw truncated();
    }
    return file[at] & 0xFF;
  }

  private static ImageFormatException truncated() {
    return ImageFormatException.truncated(
        "the JPEG file is truncated: it ends before its end marker");
  }

  /** Markers without a segment. */
  private static boolean isBare(int marker) {
    return marker <= 0x01 || marker >= 0xD0 && marker <= SOI;
  }

  private static boolean isFrame(int marker) {
    return marker >= 0xC0 && marker <= 0xCF && marker != DHT && marker != JPG && marker != DAC;
  }

  private static byte[] bytes(ByteBuffer body) {
    byte[] bytes = new byte[body.remaining()];
    body.get(bytes);
    return bytes;
  }

  private static boolean startsWith(ByteBuffer body, byte[] prefix) {
    return body.remaining() >= prefix.length
        && body.slice(0, prefix.length).equals(ByteBuffer.wrap(prefix));
  }
}
