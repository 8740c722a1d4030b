package dev.ocellus.vlm.image.codec;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import dev.ocellus.vlm.image.ImageFormatException;
import dev.ocellus.vlm.image.ImageFormatException.Kind;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Locale;

/** The formats that are decoded, told by a file's first bytes and never by its name. */
enum ImageFormat {
  JPEG,
  PNG,
  GIF,
  BMP,
  TIFF,
  WEBP;

  private static final String SUPPORTED = "JPEG, PNG, GIF, BMP, TIFF and WebP are read";

  /**
   * The format of a file.
   *
   * @throws ImageFormatException if it is none of these; the message says what it looks like
   */
  static ImageFormat of(byte[] file) {
    String head = new String(file, 0, Math.min(file.length, 1024), ISO_8859_1);
    if (head.startsWith("\u00FF\u00D8\u00FF")) {
      return JPEG;
    }
    if (head.startsWith("\u0089PNG\r\n\u001A\n")) {
      return PNG;
    }
    if (head.startsWith("GIF87a") || head.startsWith("GIF89a")) {
      return GIF;
    }
    if (head.startsWith("BM") || isDib(file)) {
      return BMP;
    }
    if (head.startsWith("II*\0")
        || head.startsWith("MM\0*")
        || head.startsWith("II\0*")
        || head.startsWith("MM*\0")
        || head.startsWith("II+\0")
        || head.startsWith("MM\0+")) {
      return TIFF;
    }
    if (head.startsWith("RIFF") && head.startsWith("WEBP", 8)) {
      return WEBP;
    }
    throw refusal(head);
  }

  /** Whether this is a BMP file without its first header, as clipboards have it. */
  private static boolean isDib(byte[] file) {
    return file.length >= 4
        && BmpDecoder.isHeaderLength(ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getInt());
  }

  private static ImageFormatException refusal(String head) {
    if (head.isEmpty()) {
      return new ImageFormatException(Kind.NOT_AN_IMAGE, "the file is empty");
    }
    String other = otherImage(head);
    if (other != null) {
      return ImageFormatException.unsupported(
          "this is " + other + ", which is not read; convert it to PNG or JPEG first");
    }
    return new ImageFormatException(
        Kind.NOT_AN_IMAGE,
        "this is not an image but looks like " + notAnImage(head) + "; " + SUPPORTED);
  }

  private static @org.jspecify.annotations.Nullable String otherImage(String head) {
    if (head.startsWith("ftyp", 4) && head.length() >= 12) {
      return switch (head.substring(8, 12)) {
        case "heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1" -> "a HEIC/HEIF image";
        case "avif", "avis" -> "an AVIF image";
        case "crx " -> "a Canon raw photo";
        default -> null;
      };
    }
    if (head.startsWith("jP  ", 4) || head.startsWith("\u00FF\u004F\u00FF\u0051")) {
      return "a JPEG 2000 image";
    }
    if (head.startsWith("\u00FF\n") || head.startsWith("JXL ", 4)) {
      return "a JPEG XL image";
    }
    if (head.startsWith("8BPS")) {
      return "a Photoshop document";
    }
    if (head.startsWith("\0\0\1\0") || head.startsWith("\0\0\2\0")) {
      return "a Windows icon or cursor";
    }
    if (head.matches("(?s)P[1-7]\\s.*")) {
      return "a PNM image";
    }
    if (head.startsWith("v/1\1")) {
      return "an OpenEXR image";
    }
    if (head.startsWith("qoif")) {
      return "a QOI image";
    }
    if (head.startsWith("DDS ")) {
      return "a DDS texture";
    }
    return head.toLowerCase(Locale.ROOT).contains("<svg") ? "an SVG drawing" : null;
  }

  private static String notAnImage(String head) {
    String text = head.stripLeading().toLowerCase(Locale.ROOT);
    if (text.startsWith("<!doctype html") || text.startsWith("<html")) {
      return "an HTML page (did a download return an error page?)";
    }
    if (text.startsWith("<?xml")) {
      return "an XML document";
    }
    if (text.startsWith("version https://git-lfs")) {
      return "a Git LFS pointer (run \"git lfs pull\")";
    }
    if (head.startsWith("%PDF")) {
      return "a PDF document, whose pages are images to what opens documents";
    }
    if (head.startsWith("ftyp", 4)
        || head.startsWith("\u001AE\u00DF\u00A3")
        || head.startsWith("RIFF") && head.startsWith("AVI ", 8)
        || head.startsWith("\0\0\1\u00BA")) {
      return "a video (extract a frame first)";
    }
    if (head.startsWith("GGUF")) {
      return "a GGUF model";
    }
    if (head.startsWith("PK\3\4")) {
      return "a ZIP archive";
    }
    if (head.startsWith("\u001F\u008B")) {
      return "a gzip file";
    }
    if (head.chars().allMatch(c -> c >= ' ' && c < 0x7F || Character.isWhitespace(c))) {
      return "text";
    }
    if (head.chars().allMatch(c -> c == 0)) {
      return "a file of zeros (an interrupted download?)";
    }
    return "an unknown binary file";
  }
}
