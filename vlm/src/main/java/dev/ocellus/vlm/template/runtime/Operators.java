package dev.ocellus.vlm.template.runtime;

import dev.ocellus.vlm.template.text.TextBuilder;
import dev.ocellus.vlm.template.text.TracedText;
import java.util.ArrayList;
import java.util.List;

/** Python's arithmetic operators on all values. */
public final class Operators {
  private Operators() {}

  /** {@code op} is the operator's sign; {@code f} stands for {@code //} and {@code p} for **. */
  public static Object binary(Evaluation in, char op, Object a, Object b) {
    Object number = PythonNumbers.arithmetic(op, a, b);
    if (number != null) {
      return number;
    }
    if (a instanceof Undefined u) {
      throw u.fail();
    }
    if (op == '%' && a instanceof TracedText format) {
      return PercentFormat.format(in, format, b);
    }
    if (b instanceof Undefined u) {
      throw u.fail();
    }
    if (op == '+') {
      return add(in, a, b);
    }
    if (op == '*') {
      if (PythonNumbers.isInt(b)) {
        return repeat(in, a, b);
      }
      if (PythonNumbers.isInt(a)) {
        return repeat(in, b, a);
      }
    }
    throw unsupported(op, a, b);
  }

  private static EvaluationError unsupported(char op, Object a, Object b) {
    String sign = op == 'f' ? "//" : op == 'p' ? "** or pow()" : String.valueOf(op);
    return EvaluationError.type(
        "unsupported operand type(s) for "
            + sign
            + ": '"
            + Values.typeName(a)
            + "' and '"
            + Values.typeName(b)
            + "'");
  }

  private static Object add(Evaluation in, Object a, Object b) {
    if (a instanceof TracedText x) {
      if (b instanceof TracedText y) {
        return concat(in, x, y);
      }
      throw EvaluationError.type(
          "can only concatenate str (not \"" + Values.typeName(b) + "\") to str");
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
      throw EvaluationError.type(
          "can only concatenate " + type + " (not \"" + Values.typeName(b) + "\") to " + type);
    }
    throw unsupported('+', a, b);
  }

  /** Plain strings are joined; markup escapes what is joined to it. */
  public static TracedText concat(Evaluation in, TracedText a, TracedText b) {
    if (a.isMarkup() || b.isMarkup()) {
      return join(in, Markup.escape(in, a), Markup.escape(in, b)).asMarkup(true);
    }
    return join(in, a, b);
  }

  public static TracedText join(Evaluation in, TracedText a, TracedText b) {
    in.text().reserve((long) a.length() + b.length());
    in.charge((long) a.length() + b.length());
    return a.concat(b);
  }

  private static Object repeat(Evaluation in, Object o, Object count) {
    long n = Math.max(0, PythonNumbers.toLong(count, "a repeat count"));
    if (o instanceof TracedText t) {
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

  public static TracedText repeatText(Evaluation in, TracedText t, long n) {
    if (t.isEmpty() || n == 0) {
      return TracedText.EMPTY.asMarkup(t.isMarkup());
    }
    TextBuilder out = in.text();
    out.reserve(n > Integer.MAX_VALUE ? n : n * t.length());
    for (long i = 0; i < n; i++) {
      out.append(t);
    }
    return in.built(out).asMarkup(t.isMarkup());
  }

  public static Object negate(Object o) {
    if (PythonNumbers.isNumber(o)) {
      return PythonNumbers.negate(o);
    }
    throw unary("-", o);
  }

  public static Object positive(Object o) {
    if (PythonNumbers.isNumber(o)) {
      return o instanceof Boolean ? PythonNumbers.narrow(PythonNumbers.big(o)) : o;
    }
    throw unary("+", o);
  }

  private static EvaluationError unary(String sign, Object o) {
    if (o instanceof Undefined u) {
      return u.fail();
    }
    return EvaluationError.type(
        "bad operand type for unary " + sign + ": '" + Values.typeName(o) + "'");
  }
}
