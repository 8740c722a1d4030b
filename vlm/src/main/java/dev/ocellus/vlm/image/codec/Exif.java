package dev.ocellus.vlm.image.codec;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import dev.ocellus.vlm.image.Orientation;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The orientation tag of EXIF metadata, or of XMP where EXIF has none (as Pillow's {@code getexif}
 * does it). Metadata that is broken says nothing: a picture is not refused for it.
 */
final class Exif {
  static final int BITS_PER_SAMPLE = 0x0102;
  static final int PHOTOMETRIC = 0x0106;
  static final int ORIENTATION = 0x0112;
  static final int SAMPLES_PER_PIXEL = 0x0115;
  private static final int TYPE_BYTE = 1;
  private static final int TYPE_SHORT = 3;
  private static final int TYPE_LONG = 4;
  private static final Pattern XMP_ORIENTATION =
      Pattern.compile("tiff:Orientation(?:=\"|>)([0-9])");

  private Exif() {}

  /**
   * @param tiff the TIFF structure that EXIF metadata is, without the name in front, or null
   * @param xmp an XMP packet, or null
   */
  static Orientation orientation(@Nullable ByteBuffer tiff, @Nullable ByteBuffer xmp) {
    int tag = tiff == null ? 0 : tag(tiff, ORIENTATION, 0);
    if (tag == 0 && xmp != null) {
      Matcher matcher = XMP_ORIENTATION.matcher(ISO_8859_1.decode(xmp.slice()));
      if (matcher.find()) {
        tag = matcher.group(1).charAt(0) - '0';
      }
    }
    return Orientation.ofTag(tag);
  }

  /**
   * The single number that is the value of a tag in the first directory, or {@code absent}.
   *
   * @param file a TIFF structure from its byte-order mark on
   */
  static int tag(ByteBuffer file, int tag, int absent) {
    ByteBuffer tiff = file.slice();
    if (tiff.remaining() < 8) {
      return absent;
    }
    tiff.order(tiff.get(0) == 'I' ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
    long directory = tiff.getInt(4) & 0xFFFFFFFFL;
    if (directory + 2 > tiff.limit()) {
      return absent;
    }
    int count = tiff.getShort((int) directory) & 0xFFFF;
    for (int i = 0; i < count; i++) {
      long entry = directory + 2 + 12L * i;
      if (entry + 12 > tiff.limit()) {
        return absent;
      }
      int at = (int) entry;
      if ((tiff.getShort(at) & 0xFFFF) == tag) {
        return switch (tiff.getShort(at + 2)) {
          case TYPE_BYTE -> tiff.get(at + 8) & 0xFF;
          case TYPE_SHORT -> tiff.getShort(at + 8) & 0xFFFF;
          case TYPE_LONG -> tiff.getInt(at + 8);
          default -> absent;
        };
      }
    }
    return absent;
  }
}
