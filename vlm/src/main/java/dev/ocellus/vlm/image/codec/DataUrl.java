package dev.ocellus.vlm.image.codec;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Locale;

/** {@code data:} URLs, which hold a file in base64. */
public final class DataUrl {
  private static final String SCHEME = "data:";
  private static final int SHOWN = 80;

  private DataUrl() {}

  /** Whether a reference is one. */
  public static boolean is(String reference) {
    return reference.regionMatches(true, 0, SCHEME, 0, SCHEME.length());
  }

  /**
   * The file.
   *
   * @throws IllegalArgumentException if the URL holds none in base64
   */
  public static byte[] bytes(String url) {
    int comma = url.indexOf(',');
    String header = comma < 0 ? url : url.substring(0, comma);
    if (comma < 0 || !header.toLowerCase(Locale.ROOT).endsWith(";base64")) {
      throw new IllegalArgumentException(
          "expected data:image/TYPE;base64,DATA; found " + shortened(url));
    }
    try {
      return base64(percentDecoded(url.substring(comma + 1)));
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "%s; found %s".formatted(e.getMessage(), shortened(url)), e);
    }
  }

  /**
   * What a text in base64 stands for, in either alphabet, with lines perhaps. Anything else in it
   * means that it is damaged: what was left out of it would be missing in the file.
   *
   * @throws IllegalArgumentException if it is not base64
   */
  public static byte[] base64(String text) {
    String joined = hasSpace(text) ? text.replaceAll("[ \\t\\r\\n]", "") : text;
    boolean forUrls = joined.indexOf('-') >= 0 || joined.indexOf('_') >= 0;
    try {
      return (forUrls ? Base64.getUrlDecoder() : Base64.getDecoder()).decode(joined);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("not valid base64: " + e.getMessage(), e);
    }
  }

  private static boolean hasSpace(String text) {
    for (int i = 0; i < text.length(); i++) {
      if (text.charAt(i) <= ' ') {
        return true;
      }
    }
    return false;
  }

  /** With {@code %2B} as {@code +}, as URLs may have it. */
  private static String percentDecoded(String text) {
    if (text.indexOf('%') < 0) {
      return text;
    }
    var bytes = new ByteArrayOutputStream(text.length());
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c != '%') {
        bytes.write(c > 0x7F ? '?' : c); // which base64 has neither of
      } else if (i + 2 < text.length()) {
        bytes.write(HexFormat.fromHexDigits(text, i + 1, i + 3));
        i += 2;
      } else {
        throw new IllegalArgumentException(
            "not valid base64: two digits are missing behind the last %");
      }
    }
    return bytes.toString(StandardCharsets.ISO_8859_1);
  }

  /** A reference in quotes, cut where it is long, for messages. */
  public static String shortened(String text) {
    return text.length() <= SHOWN ? "'" + text + "'" : "'" + text.substring(0, SHOWN - 3) + "…'";
  }
}
