package dev.ocellus.vlm.image.codec;

import java.util.Base64;
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
      return Base64.getMimeDecoder().decode(url.substring(comma + 1));
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "the data: URL is not valid base64 (%s): %s".formatted(e.getMessage(), shortened(url)),
          e);
    }
  }

  /** A reference in quotes, cut where it is long, for messages. */
  public static String shortened(String text) {
    return text.length() <= SHOWN ? "'" + text + "'" : "'" + text.substring(0, SHOWN - 3) + "…'";
  }
}
