package dev.ocellus.vlm.image.codec;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import dev.ocellus.vlm.image.Orientation;
import java.nio.ByteBuffer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The orientation tag of EXIF metadata, or of XMP where EXIF has none, as <a
 * href="https://github.com/python-pillow/Pillow/blob/bb1d8e8ab8d29048624d96e3ee53cecf7c13d13d/src/PIL/Image.py">
 * Pillow 12.3, Image.getexif</a> finds it. Metadata that is broken says nothing: an image is not
 * refused for it.
 */
final class Exif {
  private static final ByteBuffer PREFIX = ByteBuffer.wrap("Exif\0\0".getBytes(ISO_8859_1));
  private static final Pattern XMP_ORIENTATION =
      Pattern.compile("tiff:Orientation(?:=\"|>)([0-9])");

  private Exif() {}

  /**
   * @param exif a TIFF structure, or null. The name that JPEG segments have may stand before it, as
   *     often as programs have put it there, in the other formats too
   * @param xmp an XMP packet, or null
   */
  static Orientation orientation(@Nullable ByteBuffer exif, @Nullable ByteBuffer xmp) {
    ByteBuffer tiff = exif == null ? ByteBuffer.allocate(0) : withoutPrefixes(exif);
    if (!tiff.hasRemaining()) {
      return ofXmp(xmp);
    }
    TiffDirectory directory = TiffDirectory.first(tiff);
    return directory == null ? Orientation.UPRIGHT : orientation(directory, xmp);
  }

  /** The orientation of a TIFF file itself. */
  static Orientation orientation(TiffDirectory directory, @Nullable ByteBuffer xmp) {
    return directory.has(TiffDirectory.ORIENTATION)
        ? Orientation.ofTag(directory.orientation())
        : ofXmp(xmp);
  }

  private static ByteBuffer withoutPrefixes(ByteBuffer exif) {
    ByteBuffer tiff = exif.slice();
    while (startsWith(tiff, PREFIX)) {
      tiff.position(tiff.position() + PREFIX.remaining());
    }
    return tiff;
  }

  static boolean startsWith(ByteBuffer bytes, ByteBuffer prefix) {
    return bytes.remaining() >= prefix.remaining()
        && bytes.slice(bytes.position(), prefix.remaining()).equals(prefix);
  }

  private static Orientation ofXmp(@Nullable ByteBuffer xmp) {
    if (xmp != null) {
      Matcher matcher = XMP_ORIENTATION.matcher(ISO_8859_1.decode(xmp.slice()));
      if (matcher.find()) {
        return Orientation.ofTag(matcher.group(1).charAt(0) - '0');
      }
    }
    return Orientation.UPRIGHT;
  }
}
