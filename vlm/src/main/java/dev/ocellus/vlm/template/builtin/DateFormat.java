package dev.ocellus.vlm.template.builtin;

import dev.ocellus.vlm.template.runtime.Evaluation;
import dev.ocellus.vlm.template.runtime.EvaluationError;
import dev.ocellus.vlm.template.runtime.TextOps;
import dev.ocellus.vlm.template.text.TracedText;
import java.time.LocalDateTime;
import java.time.temporal.IsoFields;
import java.util.Locale;

/** C's {@code strftime} in the C locale, for a time without a zone. */
final class DateFormat {
  private static final int MAX_LENGTH = 10_000;

  private DateFormat() {}

  static TracedText format(Evaluation in, TracedText format) {
    if (format.length() > MAX_LENGTH) {
      throw EvaluationError.limit("a date format of more than " + MAX_LENGTH + " characters");
    }
    StringBuilder out = new StringBuilder();
    append(out, format.text(), in.now());
    in.charge(out.length());
    return TracedText.of(out.toString(), format.cautiousOrigin());
  }

  private static void append(StringBuilder out, String format, LocalDateTime t) {
    for (int i = 0; i < format.length(); i++) {
      char c = format.charAt(i);
      if (c != '%' || i + 1 >= format.length()) {
        out.append(c);
        continue;
      }
      char d = format.charAt(++i);
      if ("-_0^#".indexOf(d) >= 0 && i + 1 < format.length()) {
        flagged(out, d, directive(format.charAt(++i), t));
      } else {
        out.append(directive(d, t));
      }
    }
  }

  /** GNU flags: no padding, padding with blanks, upper case. */
  private static void flagged(StringBuilder out, char flag, String value) {
    int i = 0;
    while (i < value.length() - 1 && (value.charAt(i) == '0' || value.charAt(i) == ' ')) {
      i++;
    }
    switch (flag) {
      case '-' -> out.append(value, i, value.length());
      case '_' -> out.append(" ".repeat(i)).append(value, i, value.length());
      case '0' -> out.append("0".repeat(i)).append(value, i, value.length());
      default -> out.append(value.toUpperCase(Locale.ROOT));
    }
  }

  private static String directive(char d, LocalDateTime t) {
    int hour12 = (t.getHour() + 11) % 12 + 1;
    int weekday = t.getDayOfWeek().getValue() % 7;
    return switch (d) {
      case 'Y' -> String.valueOf(t.getYear());
      case 'C' -> two(t.getYear() / 100);
      case 'y' -> two(t.getYear() % 100);
      case 'm' -> two(t.getMonthValue());
      case 'd' -> two(t.getDayOfMonth());
      case 'e' -> blank(t.getDayOfMonth());
      case 'H' -> two(t.getHour());
      case 'k' -> blank(t.getHour());
      case 'I' -> two(hour12);
      case 'l' -> blank(hour12);
      case 'M' -> two(t.getMinute());
      case 'S' -> two(t.getSecond());
      case 'f' -> padded(t.getNano() / 1000, 6);
      case 'j' -> padded(t.getDayOfYear(), 3);
      case 'p' -> t.getHour() < 12 ? "AM" : "PM";
      case 'P' -> t.getHour() < 12 ? "am" : "pm";
      case 'A' -> name(t.getDayOfWeek(), 9);
      case 'a' -> name(t.getDayOfWeek(), 3);
      case 'B' -> name(t.getMonth(), 9);
      case 'b', 'h' -> name(t.getMonth(), 3);
      case 'u' -> String.valueOf(t.getDayOfWeek().getValue());
      case 'w' -> String.valueOf(weekday);
      case 'U' -> two((t.getDayOfYear() + 6 - weekday) / 7);
      case 'W' -> two((t.getDayOfYear() + 6 - (weekday + 6) % 7) / 7);
      case 'V' -> two(t.get(IsoFields.WEEK_OF_WEEK_BASED_YEAR));
      case 'G' -> String.valueOf(t.get(IsoFields.WEEK_BASED_YEAR));
      case 'g' -> two(t.get(IsoFields.WEEK_BASED_YEAR) % 100);
      case 'D', 'x' -> composed("%m/%d/%y", t);
      case 'F' -> composed("%Y-%m-%d", t);
      case 'T', 'X' -> composed("%H:%M:%S", t);
      case 'R' -> composed("%H:%M", t);
      case 'r' -> composed("%I:%M:%S %p", t);
      case 'c' -> composed("%a %b %e %H:%M:%S %Y", t);
      case 'n' -> "\n";
      case 't' -> "\t";
      case '%' -> "%";
      case 'z', 'Z' -> "";
      default -> "%" + d;
    };
  }

  private static String composed(String format, LocalDateTime t) {
    StringBuilder out = new StringBuilder();
    append(out, format, t);
    return out.toString();
  }

  /** The English name; Java's locale data would take tens of milliseconds to load. */
  private static String name(Enum<?> day, int length) {
    String name = day.name();
    return name.charAt(0) + TextOps.asciiLower(name.substring(1, Math.min(length, name.length())));
  }

  private static String two(int n) {
    return padded(n, 2);
  }

  private static String blank(int n) {
    return n < 10 ? " " + n : String.valueOf(n);
  }

  private static String padded(int n, int digits) {
    String s = String.valueOf(n);
    return "0".repeat(Math.max(0, digits - s.length())) + s;
  }
}
