package dev.ocellus.vlm.template;

import java.util.ArrayList;
import java.util.List;

/** Python's arithmetic operators on all values. */
final class Operators {
  private Operators() {}

  /** {@code op} is the operator's sign; {@code f} stands for {@code //} and {@code p} for **. */
  static Object binary(Evaluation in, char op, Object a, Object b) {
    Object number = Numbers.arithmetic(op, a, b);
    if (number != null) {
      return number;
    }
    if (a instanceof Undefined u) {
      throw u.fail();
    }
    if (op == '%' && a instanceof Text format) {
      return PercentFormat.format(in, format, b);
    }
    if (b instanceof Undefined u) {
      throw u.fail();
    }
    if (op == '+') {
      return add(in, a, b);
    }
    if (op == '*') {
      if (Numbers.isInt(b)) {
        return repeat(in, a, b);
      }
      if (Numbers.isInt(a)) {
        return repeat(in, b, a);
      }
    }
    throw unsupported(op, a, b);
  }

  private static Fail unsupported(char op, Object a, Object b) {
    String sign = op == 'f' ? "//" : op == 'p' ? "** or pow()" : String.valueOf(op);
    return Fail.type(
        "unsupported operand type(s) for "
            + sign
            + ": '"
            + Values.typeName(a)
            + "' and '"
            + Values.typeName(b)
            + "'");
  }

  private static Object add(Evaluation in, Object a, Object b) {
    if (a instanceof Text x) {
      if (b instanceof Text y) {
        return concat(in, x, y);
      }
      throw Fail.type("can only concatenate str (not \"" + Values.typeName(b) + "\") to str");
    }
    if (a instanceof Sequence x) {
      if (b instanceof Sequence y && x.isTuple() == y.isTuple()) {
        in.chargeItems((long) x.size() + y.size());
        List<Object> items = new ArrayList<>(x.size() + y.size());
        items.addAll(x.items());
        items.addAll(y.items());
        return x.isTuple() ? Sequence.tuple(items) : Sequence.list(items);
      }
      String type = Values.typeName(a);
      throw Fail.type(
          "can only concatenate " + type + " (not \"" + Values.typeName(b) + "\") to " + type);
    }
    throw unsupported('+', a, b);
  }

  /** Plain strings are joined; markup escapes what is joined to it. */
  static Text concat(Evaluation in, Text a, Text b) {
    if (a.isMarkup() || b.isMarkup()) {
      return join(in, Html.escape(in, a), Html.escape(in, b)).asMarkup(true);
    }
    return join(in, a, b);
  }

  static Text join(Evaluation in, Text a, Text b) {
    in.text().reserve((long) a.length() + b.length());
    in.charge((long) a.length() + b.length());
    return a.concat(b);
  }

  private static Object repeat(Evaluation in, Object o, Object count) {
    long n = Math.max(0, Numbers.toLong(count, "a repeat count"));
    if (o instanceof Text t) {
      return repeatText(in, t, n);
    }
    if (o instanceof Sequence s) {
      if (s.size() > 0) {
        in.chargeItems(n > Integer.MAX_VALUE ? n : n * s.size());
      }
      List<Object> items = new ArrayList<>();
      for (long i = 0; i < n && s.size() > 0; i++) {
        items.addAll(s.items());
      }
      return s.isTuple() ? Sequence.tuple(items) : Sequence.list(items);
    }
    throw unsupported('*', o, count);
  }

  static Text repeatText(Evaluation in, Text t, long n) {
    if (t.isEmpty() || n == 0) {
      return Text.EMPTY.asMarkup(t.isMarkup());
    }
    TextBuilder out = in.text();
    out.reserve(n > Integer.MAX_VALUE ? n : n * t.length());
    for (long i = 0; i < n; i++) {
      out.append(t);
    }
    return in.built(out).asMarkup(t.isMarkup());
  }

  static Object negate(Object o) {
    if (Numbers.isNumber(o)) {
      return Numbers.negate(o);
    }
    throw unary("-", o);
  }

  static Object positive(Object o) {
    if (Numbers.isNumber(o)) {
      return o instanceof Boolean ? Numbers.narrow(Numbers.big(o)) : o;
    }
    throw unary("+", o);
  }

  private static Fail unary(String sign, Object o) {
    if (o instanceof Undefined u) {
      return u.fail();
    }
    return Fail.type("bad operand type for unary " + sign + ": '" + Values.typeName(o) + "'");
  }
}
