package dev.ocellus.vlm.template.runtime;

import dev.ocellus.vlm.template.text.Origin;
import dev.ocellus.vlm.template.text.TextBuilder;
import dev.ocellus.vlm.template.text.TracedText;
import java.math.BigInteger;
import java.util.List;
import java.util.Locale;

/** Python's {@code format % values}. */
public final class PercentFormat {
  private final Evaluation in;
  private final TracedText format;
  private final String s;
  private final Object values;
  private final List<Object> positional;
  private final TextBuilder out;
  private int at;
  private int used;

  private boolean leftAlign;
  private boolean zeros;
  private boolean alternate;
  private String sign = "";
  private long width;
  private int precision;

  private PercentFormat(Evaluation in, TracedText format, Object values) {
    this.in = in;
    this.format = format;
    this.s = format.text();
    this.values = values;
    boolean tuple = values instanceof Sequence v && v.isTuple();
    this.positional = tuple ? ((Sequence) values).items() : List.of(values);
    this.out = in.text();
  }

  public static TracedText format(Evaluation in, TracedText format, Object values) {
    return new PercentFormat(in, format, values).run().asMarkup(format.isMarkup());
  }

  private TracedText run() {
    boolean mapped = false;
    while (at < s.length()) {
      int percent = s.indexOf('%', at);
      if (percent < 0) {
        break;
      }
      out.append(format, at, percent);
      at = percent + 1;
      mapped |= directive();
    }
    out.append(format, at, s.length());
    boolean mayBeUnused =
        mapped
            || values instanceof Dict
            || (values instanceof Sequence v && !v.isTuple())
            || values instanceof Undefined;
    if (used < positional.size() && !mayBeUnused) {
      throw EvaluationError.type("not all arguments converted during string formatting");
    }
    return in.built(out);
  }

  /** True when the directive named its value. */
  private boolean directive() {
    Object named = null;
    if (peek() == '(') {
      named = named();
    }
    flags();
    width = peek() == '*' ? star() : digits();
    if (width < 0) {
      leftAlign = true;
      width = -width;
    }
    precision = -1;
    if (peek() == '.') {
      at++;
      precision = (int) Math.max(0, Math.min(1 << 24, peek() == '*' ? star() : digits()));
    }
    while (peek() == 'l' || peek() == 'h' || peek() == 'L') {
      at++;
    }
    char conversion = peek();
    if (conversion == 0) {
      throw EvaluationError.value("incomplete format");
    }
    at++;
    if (conversion == '%') {
      out.append(format, at - 1, at);
      return named != null;
    }
    Object value = named != null ? named : take();
    convert(conversion, value);
    return named != null;
  }

  private char peek() {
    return at < s.length() ? s.charAt(at) : 0;
  }

  private Object named() {
    int open = 0;
    int start = at + 1;
    do {
      char c = peek();
      if (c == 0) {
        throw EvaluationError.value("incomplete format key");
      }
      open += c == '(' ? 1 : c == ')' ? -1 : 0;
      at++;
    } while (open > 0);
    if (!(values instanceof Dict d)) {
      throw EvaluationError.type("format requires a mapping");
    }
    TracedText key = format.slice(start, at - 1);
    Object value = d.get(key);
    if (value == null) {
      throw new EvaluationError("KeyError", Printing.quote(key.text()));
    }
    return value;
  }

  private void flags() {
    leftAlign = false;
    zeros = false;
    alternate = false;
    sign = "";
    for (; ; at++) {
      switch (peek()) {
        case '-' -> leftAlign = true;
        case '0' -> zeros = true;
        case '#' -> alternate = true;
        case '+' -> sign = "+";
        case ' ' -> sign = sign.isEmpty() ? " " : sign;
        default -> {
          return;
        }
      }
    }
  }

  private long digits() {
    long n = 0;
    while (peek() >= '0' && peek() <= '9') {
      n = Math.min(n * 10 + peek() - '0', Integer.MAX_VALUE);
      at++;
    }
    return n;
  }

  private long star() {
    at++;
    Object o = take();
    if (!PythonNumbers.isInt(o)) {
      throw EvaluationError.type("* wants int");
    }
    return PythonNumbers.toCount(o, "* width");
  }

  private Object take() {
    if (used >= positional.size()) {
      throw EvaluationError.type("not enough arguments for format string");
    }
    return positional.get(used++);
  }

  private void convert(char conversion, Object value) {
    switch (conversion) {
      case 's' -> pad("", cut(escaped(value, Printing.softStr(in, value))), false);
      case 'r' -> pad("", cut(escaped(value, Printing.repr(in, value))), false);
      case 'a' -> pad("", cut(escaped(value, ascii(in, value))), false);
      case 'c' -> pad("", character(value), false);
      case 'd', 'i', 'u' -> integer(value, 10, "");
      case 'x' -> integer(value, 16, "0x");
      case 'X' -> integer(value, 16, "0X");
      case 'o' -> integer(value, 8, "0o");
      case 'e', 'E', 'f', 'F', 'g', 'G' -> {
        double d = number(value);
        String head = d < 0 || (d == 0 && 1 / d < 0) ? "-" : sign;
        int digits = precision < 0 ? 6 : precision;
        String body = FloatFormat.format(d, conversion, digits, alternate);
        pad(head, TracedText.trusted(body), zeros);
      }
      default ->
          throw EvaluationError.value(
              "unsupported format character '" + conversion + "' at index " + (at - 1));
    }
  }

  private TracedText escaped(Object value, TracedText shown) {
    if (!format.isMarkup()) {
      return shown;
    }
    return value instanceof TracedText t && t.isMarkup() ? shown : Markup.escape(in, shown.plain());
  }

  private TracedText cut(TracedText t) {
    return precision >= 0 && precision < t.codePoints()
        ? t.slice(0, TextOps.offset(t, precision))
        : t;
  }

  private static TracedText character(Object value) {
    if (value instanceof TracedText t && t.codePoints() == 1) {
      return t;
    }
    if (!PythonNumbers.isInt(value)) {
      throw EvaluationError.type("%c requires int or char");
    }
    BigInteger b = PythonNumbers.big(value);
    if (b.bitLength() > 21 || !Character.isValidCodePoint(b.intValue())) {
      throw new EvaluationError("OverflowError", "no character has this number");
    }
    // A number from input must not become a character of the template's.
    return TracedText.input(Character.toString(b.intValue()));
  }

  private void integer(Object value, int radix, String prefix) {
    Object whole = value;
    if (value instanceof Double d && radix == 10) {
      whole = PythonNumbers.truncate(d);
    }
    if (!PythonNumbers.isInt(whole)) {
      throw EvaluationError.type(
          "%"
              + s.charAt(at - 1)
              + " format: "
              + (radix == 10 ? "a real number" : "an integer")
              + " is required, not "
              + Values.typeName(value));
    }
    BigInteger b = PythonNumbers.big(whole);
    String digits = b.abs().toString(radix);
    if (prefix.equals("0X")) {
      digits = digits.toUpperCase(Locale.ROOT);
    }
    String head = (b.signum() < 0 ? "-" : sign) + (alternate ? prefix : "");
    TextBuilder body = in.text();
    body.repeat("0", precision - (long) digits.length(), Origin.TEMPLATE).append(digits);
    pad(head, body.build(), zeros);
  }

  private static double number(Object value) {
    if (PythonNumbers.isNumber(value)) {
      return PythonNumbers.toDouble(value);
    }
    throw EvaluationError.type("must be real number, not " + Values.typeName(value));
  }

  private void pad(String head, TracedText body, boolean withZeros) {
    long missing = width - head.length() - body.codePoints();
    if (withZeros && !leftAlign) {
      out.append(head).repeat("0", missing, Origin.TEMPLATE).append(body);
      return;
    }
    out.repeat(" ", leftAlign ? 0 : missing, Origin.TEMPLATE).append(head).append(body);
    out.repeat(" ", leftAlign ? missing : 0, Origin.TEMPLATE);
  }

  /** Python's {@code ascii}: repr with escapes for all that is not ASCII. */
  public static TracedText ascii(Evaluation in, Object value) {
    TracedText repr = Printing.repr(in, value);
    String r = repr.text();
    TextBuilder out = in.text();
    for (int i = 0; i < r.length(); ) {
      int c = r.codePointAt(i);
      int next = i + Character.charCount(c);
      if (c < 128) {
        out.append(repr, i, next);
      } else {
        String code =
            c < 256
                ? "\\x" + Printing.hex(c, 2)
                : c < 0x10000 ? "\\u" + Printing.hex(c, 4) : "\\U" + Printing.hex(c, 8);
        out.append(code, repr.originAt(i));
      }
      i = next;
    }
    return in.built(out);
  }
}
