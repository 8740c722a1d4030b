package dev.ocellus.vlm.template.builtin;

import dev.ocellus.vlm.template.runtime.EvaluationError;
import dev.ocellus.vlm.template.runtime.PythonNumbers;
import dev.ocellus.vlm.template.runtime.TextOps;
import java.math.BigInteger;
import org.jspecify.annotations.Nullable;

/** Python's {@code int(text, base)} and {@code float(text)}. */
final class NumberParsing {
  /** Python refuses longer ones too, as the conversion takes quadratic time. */
  private static final int MAX_DIGITS = 4300;

  /** Nobody writes longer numbers; reading them would take long. */
  private static final int MAX_LENGTH = 10_000;

  private NumberParsing() {}

  /** The integer, or null when the text is none. */
  static @Nullable Object parseInt(String text, long base) {
    if (base != 0 && (base < 2 || base > 36)) {
      throw EvaluationError.value("int() base must be >= 2 and <= 36, or 0");
    }
    if (text.length() > MAX_LENGTH) {
      return null;
    }
    String s = TextOps.strip(text);
    boolean negative = s.startsWith("-");
    if (negative || s.startsWith("+")) {
      s = s.substring(1);
    }
    int prefixBase = prefixBase(s);
    int radix = (int) base;
    if (base == 0) {
      radix = prefixBase == 0 ? 10 : prefixBase;
    }
    if (prefixBase == radix && prefixBase != 0) {
      s = s.substring(2);
      if (s.startsWith("_")) {
        s = s.substring(1);
      }
    }
    String digits = digits(s, radix);
    if (digits == null || (base == 0 && prefixBase == 0 && leadingZero(digits))) {
      return null;
    }
    if (digits.length() > MAX_DIGITS) {
      throw EvaluationError.value("Exceeds the limit (4300 digits) for integer string conversion");
    }
    BigInteger value = new BigInteger(digits, radix);
    return PythonNumbers.bounded(negative ? value.negate() : value);
  }

  private static boolean leadingZero(String digits) {
    return digits.length() > 1 && digits.charAt(0) == '0' && !digits.matches("0+");
  }

  private static int prefixBase(String s) {
    if (s.length() < 3 || s.charAt(0) != '0') {
      return 0;
    }
    return switch (s.charAt(1)) {
      case 'x', 'X' -> 16;
      case 'o', 'O' -> 8;
      case 'b', 'B' -> 2;
      default -> 0;
    };
  }

  /** ASCII digits without single underscores between them, or null. */
  private static @Nullable String digits(String s, int radix) {
    StringBuilder out = new StringBuilder(s.length());
    boolean afterDigit = false;
    for (int i = 0; i < s.length(); i += Character.charCount(s.codePointAt(i))) {
      int c = s.codePointAt(i);
      if (c == '_' && afterDigit) {
        afterDigit = false;
        continue;
      }
      int digit = c > 127 && !Character.isDigit(c) ? -1 : Character.digit(c, radix);
      if (digit < 0) {
        return null;
      }
      out.append(Character.forDigit(digit, radix));
      afterDigit = true;
    }
    return afterDigit ? out.toString() : null;
  }

  /** The number, or null when the text is none. */
  static @Nullable Double parseFloat(String text) {
    if (text.length() > MAX_LENGTH) {
      return null;
    }
    String s = TextOps.strip(text);
    String unsigned = s.startsWith("-") || s.startsWith("+") ? s.substring(1) : s;
    switch (TextOps.asciiLower(unsigned)) {
      case "inf", "infinity" -> {
        return s.startsWith("-") ? Double.NEGATIVE_INFINITY : Double.POSITIVE_INFINITY;
      }
      case "nan" -> {
        return Double.NaN;
      }
      default -> {
        String plain = floatCharacters(s);
        if (plain == null) {
          return null;
        }
        try {
          return Double.valueOf(plain);
        } catch (NumberFormatException e) {
          return null;
        }
      }
    }
  }

  /** What Java reads as Python does: no hexadecimal, no suffix, underscores only between digits. */
  private static @Nullable String floatCharacters(String s) {
    StringBuilder out = new StringBuilder(s.length());
    for (int i = 0; i < s.length(); i++) {
      char c = s.charAt(i);
      if (c == '_') {
        boolean between =
            i > 0
                && i + 1 < s.length()
                && Character.isDigit(s.charAt(i - 1))
                && Character.isDigit(s.charAt(i + 1));
        if (!between) {
          return null;
        }
      } else if (Character.isDigit(c)) {
        out.append((char) ('0' + Character.digit(c, 10)));
      } else if (c == '.' || c == '+' || c == '-' || c == 'e' || c == 'E') {
        out.append(c);
      } else {
        return null;
      }
    }
    return out.toString();
  }
}
