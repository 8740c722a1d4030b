package dev.ocellus.vlm.image.codec;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import dev.ocellus.vlm.image.Orientation;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import org.jspecify.annotations.Nullable;

/**
 * What the chunks of a PNG file say about the orientation: EXIF, ImageMagick's EXIF in hexadecimal
 * text, and XMP, each where <a
 * href="https://github.com/python-pillow/Pillow/blob/bb1d8e8ab8d29048624d96e3ee53cecf7c13d13d/src/PIL/PngImagePlugin.py">
 * Pillow 12.3, PngImagePlugin</a> looks for it. Of repeated chunks the last one counts.
 */
final class PngMetadata {
  private static final String XMP = "XML:com.adobe.xmp";
  private static final String RAW_EXIF = "Raw profile type exif";

  /** Compressed text that is longer than this, in bytes, is not read; Pillow's limit. */
  private static final int MAX_TEXT = 1 << 20;

  /** Lines before the digits of a raw profile: an empty one, its name, its length. */
  private static final int RAW_HEADER_LINES = 3;

  private @Nullable ByteBuffer exif;
  private @Nullable ByteBuffer rawExif;
  private @Nullable ByteBuffer xmpText;
  private @Nullable ByteBuffer xmpBytes;

  Orientation orientation() {
    ByteBuffer xmp = xmpText != null && xmpText.hasRemaining() ? xmpText : xmpBytes;
    if (exif != null) {
      return Exif.orientation(exif, xmp);
    }
    return Exif.orientation(rawExif == null ? null : fromHex(rawExif), xmp);
  }

  /** Reads the body of a chunk, if it is one of metadata. */
  void read(String type, ByteBuffer chunk) {
    switch (type) {
      case "eXIf" -> exif = chunk.slice();
      case "tEXt", "zTXt" -> readText(type, chunk.slice());
      case "iTXt" -> readInternationalText(chunk.slice());
      default -> {}
    }
  }

  private void readText(String type, ByteBuffer chunk) {
    String keyword = ISO_8859_1.decode(upToZero(chunk)).toString();
    boolean plain = type.equals("tEXt");
    if (plain && keyword.equals("exif")) {
      exif = chunk.slice();
    }
    if (!keyword.equals(XMP) && !keyword.equals(RAW_EXIF)) {
      return;
    }
    if (!plain && chunk.hasRemaining() && chunk.get() != 0) {
      return;
    }
    ByteBuffer text = plain ? chunk.slice() : inflate(chunk);
    keep(keyword, text == null ? ByteBuffer.allocate(0) : text);
  }

  /** Keyword, whether and how it is compressed, language, translated keyword, text. */
  private void readInternationalText(ByteBuffer chunk) {
    String keyword = ISO_8859_1.decode(upToZero(chunk)).toString();
    if (!keyword.equals(XMP) && !keyword.equals(RAW_EXIF) || chunk.remaining() < 4) {
      return;
    }
    boolean compressed = chunk.get() != 0;
    boolean deflated = chunk.get() == 0;
    ByteBuffer language = upToZero(chunk);
    ByteBuffer translation = upToZero(chunk);
    ByteBuffer text = compressed ? deflated ? inflate(chunk) : null : chunk.slice();
    if (text == null) {
      return;
    }
    if (keyword.equals(XMP)) {
      xmpBytes = text;
    }
    if (isUtf8(language) && isUtf8(translation) && isUtf8(text)) {
      keep(keyword, text);
    }
  }

  private void keep(String keyword, ByteBuffer text) {
    if (keyword.equals(XMP)) {
      xmpText = text;
    } else {
      rawExif = text;
    }
  }

  /** What stands before the next zero byte, which is passed over; all of it if there is none. */
  private static ByteBuffer upToZero(ByteBuffer chunk) {
    int start = chunk.position();
    while (chunk.hasRemaining()) {
      if (chunk.get() == 0) {
        return chunk.slice(start, chunk.position() - 1 - start);
      }
    }
    return chunk.slice(start, chunk.position() - start);
  }

  private static boolean isUtf8(ByteBuffer text) {
    try {
      UTF_8.newDecoder().decode(text.slice());
      return true;
    } catch (CharacterCodingException e) {
      return false;
    }
  }

  private static @Nullable ByteBuffer inflate(ByteBuffer data) {
    Inflater inflater = new Inflater();
    try {
      inflater.setInput(data);
      byte[] text = new byte[MAX_TEXT];
      int length = 0;
      while (length < text.length && !inflater.finished()) {
        int n = inflater.inflate(text, length, text.length - length);
        if (n == 0) {
          break;
        }
        length += n;
      }
      return length < text.length || inflater.finished() ? ByteBuffer.wrap(text, 0, length) : null;
    } catch (DataFormatException e) {
      return null;
    } finally {
      inflater.end();
    }
  }

  /** The bytes of a raw profile; none if its digits are not pairs of hexadecimal ones. */
  private static @Nullable ByteBuffer fromHex(ByteBuffer text) {
    ByteBuffer bytes = ByteBuffer.allocate(text.remaining() / 2 + 1);
    int lines = 0;
    int high = -1;
    for (int i = text.position(); i < text.limit(); i++) {
      int c = text.get(i) & 0xFF;
      if (lines < RAW_HEADER_LINES) {
        lines += c == '\n' ? 1 : 0;
      } else if (high >= 0 || !Character.isWhitespace(c)) {
        int digit = Character.digit(c, 16);
        if (digit < 0 && !(high >= 0 && c == '\n')) {
          return null;
        }
        if (digit >= 0 && high >= 0) {
          bytes.put((byte) (high << 4 | digit));
          high = -1;
        } else if (digit >= 0) {
          high = digit;
        }
      }
    }
    return high < 0 ? bytes.flip() : null;
  }
}
