package dev.ocellus.vlm.template.builtin;

import dev.ocellus.vlm.python.PythonFloat;
import dev.ocellus.vlm.template.runtime.Evaluation;
import dev.ocellus.vlm.template.runtime.EvaluationError;
import dev.ocellus.vlm.template.runtime.FloatFormat;
import dev.ocellus.vlm.template.runtime.Printing;
import dev.ocellus.vlm.template.runtime.PythonNumbers;
import dev.ocellus.vlm.template.runtime.TextOps;
import dev.ocellus.vlm.template.runtime.Undefined;
import dev.ocellus.vlm.template.runtime.Values;
import dev.ocellus.vlm.template.text.Origin;
import dev.ocellus.vlm.template.text.TextBuilder;
import dev.ocellus.vlm.template.text.TracedText;
import java.math.BigInteger;
import java.util.Locale;

/** Python's format specification: {@code [[fill]align][sign][#][0][width][,][.precision][type]}. */
final class FormatSpec {
  private final TracedText spec;
  private final String s;
  private TracedText fill = TracedText.ofAscii(' ');
  private char align;
  private char sign = '-';
  private boolean alternate;
  private long width;
  private char grouping;
  private int precision = -1;
  private char type;

  FormatSpec(TracedText spec) {
    this.spec = spec;
    this.s = spec.text();
    parse();
  }

  private void parse() {
    int at = 0;
    int first = s.isEmpty() ? 0 : s.offsetByCodePoints(0, 1);
    if (s.length() > first && first > 0 && "<>=^".indexOf(s.charAt(first)) >= 0) {
      fill = spec.slice(0, first);
      align = s.charAt(first);
      at = first + 1;
    } else if (!s.isEmpty() && "<>=^".indexOf(s.charAt(0)) >= 0) {
      align = s.charAt(0);
      at = 1;
    }
    if (at < s.length() && "+- ".indexOf(s.charAt(at)) >= 0) {
      sign = s.charAt(at++);
    }
    if (at < s.length() && s.charAt(at) == 'z') {
      at++;
    }
    if (at < s.length() && s.charAt(at) == '#') {
      alternate = true;
      at++;
    }
    if (at < s.length() && s.charAt(at) == '0') {
      if (align == 0) {
        align = '=';
        fill = TracedText.ofAscii('0');
      }
      at++;
    }
    int end = digits(at);
    width = end > at ? parsed(at, end) : 0;
    at = end;
    if (at < s.length() && (s.charAt(at) == ',' || s.charAt(at) == '_')) {
      grouping = s.charAt(at++);
    }
    if (at < s.length() && s.charAt(at) == '.') {
      end = digits(at + 1);
      if (end == at + 1) {
        throw EvaluationError.value("Format specifier missing precision");
      }
      precision = (int) Math.min(Integer.MAX_VALUE, parsed(at + 1, end));
      at = end;
    }
    if (at < s.length()) {
      type = s.charAt(at++);
    }
    if (at < s.length()) {
      throw invalid();
    }
  }

  private EvaluationError invalid() {
    return EvaluationError.value("Invalid format specifier " + Printing.quote(s));
  }

  private int digits(int from) {
    int i = from;
    while (i < s.length() && s.charAt(i) >= '0' && s.charAt(i) <= '9') {
      i++;
    }
    return i;
  }

  private long parsed(int from, int to) {
    if (to - from > 9) {
      throw EvaluationError.value("Too many decimal digits in format string");
    }
    return Long.parseLong(s, from, to, 10);
  }

  /** Python's {@code format(value, spec)}. */
  TracedText format(Evaluation in, Object value) {
    if (s.isEmpty()) {
      return Printing.softStr(in, value);
    }
    if (value instanceof TracedText t) {
      return string(in, t);
    }
    if (value instanceof Double d) {
      return number(in, d, type == 0 && precision < 0 ? 'r' : type == 0 ? 'g' : type);
    }
    if (PythonNumbers.isInt(value)) {
      if ("eEfFgG%".indexOf(type) >= 0 && type != 0) {
        return number(in, PythonNumbers.toDouble(value), type);
      }
      return integer(in, PythonNumbers.big(value));
    }
    if (value instanceof Undefined) {
      return string(in, TracedText.EMPTY);
    }
    throw EvaluationError.type(
        "unsupported format string passed to " + Values.typeName(value) + ".__format__");
  }

  private TracedText string(Evaluation in, TracedText t) {
    if (type != 0 && type != 's') {
      throw unknownType("str");
    }
    if (align == '=' && fill.text().equals("0")) {
      align = '<';
    }
    if (sign != '-' || alternate || grouping != 0 || align == '=') {
      throw EvaluationError.value("not allowed in string format specifier");
    }
    TracedText shown = t;
    if (precision >= 0 && precision < t.codePoints()) {
      shown = t.slice(0, TextOps.offset(t, precision));
    }
    return aligned(in, "", shown, '<');
  }

  private EvaluationError unknownType(String of) {
    return EvaluationError.value(
        "Unknown format code '" + type + "' for object of type '" + of + "'");
  }

  private TracedText integer(Evaluation in, BigInteger value) {
    if (precision >= 0) {
      throw EvaluationError.value("Precision not allowed in integer format specifier");
    }
    if (type == 'c') {
      if (value.bitLength() > 21 || !Character.isValidCodePoint(value.intValue())) {
        throw new EvaluationError("OverflowError", "no character has this number");
      }
      // A number from input must not become a character of the template's.
      return aligned(in, "", TracedText.input(Character.toString(value.intValue())), '<');
    }
    int radix =
        switch (type) {
          case 0, 'd', 'n' -> 10;
          case 'b' -> 2;
          case 'o' -> 8;
          case 'x', 'X' -> 16;
          default -> throw unknownType("int");
        };
    String digits = value.abs().toString(radix);
    String prefix = alternate && radix != 10 ? "0" + type : "";
    if (type == 'X') {
      digits = digits.toUpperCase(Locale.ROOT);
    }
    String head = signOf(value.signum() < 0) + prefix;
    return aligned(
        in, head, TracedText.trusted(grouped(in, digits, radix == 10 ? 3 : 4, head)), '>');
  }

  private TracedText number(Evaluation in, double d, char style) {
    String digits;
    if (style == 'r') {
      String repr = PythonFloat.repr(Math.abs(d));
      digits = repr;
    } else if ("eEfFgGn%".indexOf(style) >= 0) {
      char shown = style == 'n' ? 'g' : style;
      digits = FloatFormat.format(d, shown, precision < 0 ? 6 : precision, alternate);
      if (type == 0 && digits.indexOf('.') < 0 && digits.indexOf('e') < 0 && isFinite(d)) {
        digits += ".0";
      }
    } else {
      throw unknownType("float");
    }
    String head = signOf(d < 0 || (1 / d < 0 && d == 0));
    return aligned(in, head, TracedText.trusted(grouped(in, digits, 3, head)), '>');
  }

  private static boolean isFinite(double d) {
    return !Double.isNaN(d) && !Double.isInfinite(d);
  }

  private String signOf(boolean negative) {
    return negative ? "-" : sign == '-' ? "" : String.valueOf(sign);
  }

  /** With separators, and zeros in front when zeros fill the width. */
  private String grouped(Evaluation in, String digits, int size, String head) {
    if (grouping == 0) {
      return digits;
    }
    int whole = 0;
    while (whole < digits.length()
        && Character.digit(digits.charAt(whole), 16) >= 0
        && digits.charAt(whole) != 'e') {
      whole++;
    }
    String integral = digits.substring(0, whole);
    String rest = digits.substring(whole);
    String out = separated(integral, size);
    if (align == '=' && fill.text().equals("0")) {
      long wanted = width - head.length() - rest.length();
      in.text().reserve(wanted);
      // n digits take n + (n - 1) / size places; a separator never leads.
      long n = (wanted * size + 1) / (size + 1);
      while (n + (n - 1) / size < wanted) {
        n++;
      }
      int zeros = (int) Math.max(0, n - integral.length());
      out = separated("0".repeat(zeros) + integral, size);
    }
    return out + rest;
  }

  private String separated(String digits, int size) {
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < digits.length(); i++) {
      if (i > 0 && (digits.length() - i) % size == 0) {
        out.append(grouping);
      }
      out.append(digits.charAt(i));
    }
    return out.toString();
  }

  private TracedText aligned(Evaluation in, String head, TracedText body, char usual) {
    long missing = width - head.length() - body.codePoints();
    TextBuilder out = in.text();
    if (missing <= 0) {
      return in.built(out.append(head).append(body));
    }
    char how = align == 0 ? usual : align;
    long before = how == '>' ? missing : how == '^' ? missing / 2 : 0;
    Origin origin = fill.originAt(0);
    out.repeat(fill.text(), before, origin).append(head);
    if (how == '=') {
      out.repeat(fill.text(), missing, origin).append(body);
    } else {
      out.append(body).repeat(fill.text(), missing - before, origin);
    }
    return in.built(out);
  }
}
