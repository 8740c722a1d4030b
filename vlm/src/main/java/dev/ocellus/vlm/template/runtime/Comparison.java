package dev.ocellus.vlm.template.runtime;

import dev.ocellus.vlm.template.text.TracedText;
import java.util.Comparator;
import java.util.Iterator;

/** Python's {@code ==}, {@code <} and {@code in}. Who wrote a string makes no difference. */
public final class Comparison {
  private Comparison() {}

  /** Python's {@code ==}, counted. */
  public static boolean equal(Evaluation in, Object a, Object b) {
    count(in, a, b);
    return same(a, b);
  }

  private static void count(Evaluation in, Object a, Object b) {
    in.steps(Math.min(Values.weight(a), Values.weight(b)));
  }

  /** {@link #equal} without the counting, for parts of what was counted. */
  @SuppressWarnings("ReferenceEquality") // Python, too, asks for identity first
  static boolean same(Object a, Object b) {
    if (a == b) {
      return !PythonNumbers.isNan(a);
    }
    if (a instanceof TracedText x) {
      return b instanceof TracedText y && x.equals(y);
    }
    if (PythonNumbers.isNumber(a)) {
      return PythonNumbers.isNumber(b)
          && !PythonNumbers.isNan(a)
          && !PythonNumbers.isNan(b)
          && PythonNumbers.compare(a, b) == 0;
    }
    if (a instanceof Undefined) {
      return b instanceof Undefined;
    }
    if (a instanceof DictView x && b instanceof DictView y) {
      return x.kind() == y.kind() && x.kind() != DictView.Kind.VALUES && x.dict().equals(y.dict());
    }
    if (a instanceof Range x && b instanceof Range y) {
      return x.size() == y.size()
          && (x.size() == 0 || (x.start() == y.start() && (x.size() == 1 || x.step() == y.step())));
    }
    return a.equals(b);
  }

  /** Negative, zero or positive; fails as Python does where there is no order. */
  static int compare(String operator, Object a, Object b) {
    if (a instanceof TracedText x && b instanceof TracedText y) {
      return compareText(x.text(), y.text());
    }
    if (PythonNumbers.isNumber(a) && PythonNumbers.isNumber(b)) {
      return PythonNumbers.compare(a, b);
    }
    if (a instanceof Sequence x && b instanceof Sequence y && x.isTuple() == y.isTuple()) {
      int n = Math.min(x.size(), y.size());
      for (int i = 0; i < n; i++) {
        if (!same(x.get(i), y.get(i))) {
          return compare(operator, x.get(i), y.get(i));
        }
      }
      return Integer.compare(x.size(), y.size());
    }
    if (a instanceof Undefined u) {
      throw u.fail();
    }
    if (b instanceof Undefined u) {
      throw u.fail();
    }
    throw EvaluationError.type(
        "'"
            + operator
            + "' not supported between instances of '"
            + Values.typeName(a)
            + "' and '"
            + Values.typeName(b)
            + "'");
  }

  /** By code point, as Python orders; UTF-16 order differs beyond U+FFFF. */
  private static int compareText(String x, String y) {
    int n = Math.min(x.length(), y.length());
    for (int i = 0; i < n; i++) {
      char a = x.charAt(i);
      char b = y.charAt(i);
      if (a != b) {
        boolean surrogateA = Character.isSurrogate(a);
        boolean surrogateB = Character.isSurrogate(b);
        return surrogateA == surrogateB ? a - b : surrogateA ? 1 : -1;
      }
    }
    return x.length() - y.length();
  }

  public static boolean holds(Evaluation in, String operator, Object a, Object b) {
    count(in, a, b);
    if (operator.equals("==") || operator.equals("!=")) {
      return same(a, b) == operator.equals("==");
    }
    boolean numbers = PythonNumbers.isNumber(a) && PythonNumbers.isNumber(b);
    if (numbers && (PythonNumbers.isNan(a) || PythonNumbers.isNan(b))) {
      return false;
    }
    int c = compare(operator, a, b);
    return switch (operator) {
      case "<" -> c < 0;
      case "<=" -> c <= 0;
      case ">" -> c > 0;
      default -> c >= 0;
    };
  }

  /** The order of sorting: only "less than" is asked, so that two NaN or two equal things tie. */
  public static Comparator<Object> order(Evaluation in) {
    return (a, b) -> {
      count(in, a, b);
      if (PythonNumbers.isNan(a) || PythonNumbers.isNan(b)) {
        return 0;
      }
      return compare("<", a, b);
    };
  }

  /** Python's {@code item in container}. */
  @SuppressWarnings("ReferenceEquality") // identity counts, even for NaN
  public static boolean contains(Evaluation in, Object container, Object item) {
    if (container instanceof TracedText t) {
      if (item instanceof TracedText part) {
        in.countText(t);
        return TextOps.indexOf(t.text(), part.text(), 0) >= 0;
      }
      throw EvaluationError.type(
          "'in <string>' requires string as left operand, not " + Values.typeName(item));
    }
    if (container instanceof Dict d) {
      return d.contains(item);
    }
    if (container instanceof DictView v && v.kind() == DictView.Kind.KEYS) {
      return v.dict().contains(item);
    }
    if (container instanceof Range r && Dict.key(item) instanceof Long l) {
      return r.contains(l);
    }
    if (!Values.isIterable(container) || container instanceof LoopContext) {
      throw EvaluationError.type(
          "argument of type '" + Values.typeName(container) + "' is not iterable");
    }
    for (Iterator<Object> it = Values.iterate(container); it.hasNext(); ) {
      Object candidate = it.next();
      if (candidate == item || equal(in, candidate, item)) {
        return true;
      }
    }
    return false;
  }
}
