package dev.ocellus.vlm.grammar.schema;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The values of {@code format} as patterns; each matches a part of what the format allows. */
final class StringFormats {
  private static final String LEAP_YEAR =
      "(?:\\d\\d(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)";
  private static final String DATE =
      "(?:\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|02-(?:0[1-9]|1\\d|2[0-8]))|"
          + LEAP_YEAR
          + "-02-29)";
  private static final String TIME =
      "(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d{1,9})?(?:Z|[+-](?:0\\d|1[0-7]):[0-5]\\d)";
  private static final String BYTE = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
  private static final String LABEL = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,30}[a-zA-Z0-9])?";
  private static final String HOSTNAME = LABEL + "(?:\\." + LABEL + "){0,5}";
  private static final String HEX4 = "[0-9a-fA-F]{1,4}";
  private static final String ATOM = "[a-zA-Z0-9_+-]{1,30}";
  private static final String PATH_CHAR = "(?:[a-zA-Z0-9._~!$&'()*+,;=:@-]|%[0-9A-F]{2})";

  private static final Map<String, String> PATTERNS =
      Map.of(
          "date",
          DATE,
          "time",
          TIME,
          "date-time",
          DATE + "T" + TIME,
          "duration",
          "P(?:\\d{1,4}W|\\d{1,4}D(?:T\\d{1,4}H(?:\\d{1,4}M(?:\\d{1,4}S)?)?)?|T(?:\\d{1,4}H(?:\\d{1,4}M(?:\\d{1,4}S)?)?|\\d{1,4}M(?:\\d{1,4}S)?|\\d{1,4}S)|\\d{1,4}Y(?:\\d{1,4}M(?:\\d{1,4}D)?)?|\\d{1,4}M(?:\\d{1,4}D)?)",
          "uuid",
          "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}",
          "ipv4",
          BYTE + "(?:\\." + BYTE + "){3}",
          "ipv6",
          "(?:" + HEX4 + ":){7}" + HEX4,
          "email",
          ATOM + "(?:\\." + ATOM + "){0,3}@" + HOSTNAME + "\\.[a-zA-Z]{2,10}",
          "hostname",
          HOSTNAME,
          "uri",
          "https?://"
              + HOSTNAME
              + "(?::[1-9]\\d{0,3})?(?:/"
              + PATH_CHAR
              + "*)*(?:\\?"
              + PATH_CHAR
              + "*)?");

  /** Those of which the pattern matches all that the format allows. */
  private static final Set<String> EXACT = Set.of("date", "uuid", "ipv4");

  private StringFormats() {}

  /** Whether a format restricts strings; others are annotations, as in OpenAPI's formats. */
  static boolean isKnown(JsonNode format) {
    return PATTERNS.containsKey(format.asText());
  }

  /** Whether a string has to match the pattern to be of a format. */
  static boolean isExact(JsonNode format) {
    return EXACT.contains(format.asText());
  }

  /** The pattern of a format; null if it is not known. */
  static @Nullable String pattern(JsonNode format) {
    String pattern = PATTERNS.get(format.asText());
    return pattern == null ? null : "^(?:" + pattern + ")$";
  }
}
