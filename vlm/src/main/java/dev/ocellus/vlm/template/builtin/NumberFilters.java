package dev.ocellus.vlm.template.builtin;

import dev.ocellus.vlm.template.runtime.Arguments;
import dev.ocellus.vlm.template.runtime.Evaluation;
import dev.ocellus.vlm.template.runtime.EvaluationError;
import dev.ocellus.vlm.template.runtime.None;
import dev.ocellus.vlm.template.runtime.PythonNumbers;
import dev.ocellus.vlm.template.runtime.Undefined;
import dev.ocellus.vlm.template.runtime.Values;
import dev.ocellus.vlm.template.text.TracedText;
import org.jspecify.annotations.Nullable;

/** Filters about numbers. */
final class NumberFilters {
  private NumberFilters() {}

  static Object apply(Evaluation in, String name, Object value, Arguments args) {
    return switch (name) {
      case "int" -> toInt(value, args.bind(name, 0, "default", "base"));
      case "float" -> toFloat(value, args.bind(name, 0, "default"));
      case "abs" -> {
        Filters.none(name, args);
        if (!PythonNumbers.isNumber(value)) {
          throw EvaluationError.type(
              "bad operand type for abs(): '" + Values.typeName(value) + "'");
        }
        yield PythonNumbers.absolute(value);
      }
      default -> round(value, args.bind(name, 0, "precision", "method"));
    };
  }

  private static Object toInt(Object value, @Nullable Object[] args) {
    Object defaultValue = Filters.or(args[0], 0L);
    long base = PythonNumbers.toLong(Filters.or(args[1], 10L), "base");
    if (value instanceof Undefined u) {
      throw u.fail();
    }
    if (value instanceof TracedText t) {
      Object parsed = null;
      try {
        parsed = NumberParsing.parseInt(t.text(), base);
      } catch (EvaluationError e) {
        if (!e.isValueOrType()) {
          throw e;
        }
      }
      if (parsed != null) {
        return parsed;
      }
      Double d = NumberParsing.parseFloat(t.text());
      return d == null || Double.isNaN(d) || Double.isInfinite(d)
          ? defaultValue
          : PythonNumbers.truncate(d);
    }
    if (value instanceof Double d) {
      if (Double.isInfinite(d)) {
        throw new EvaluationError("OverflowError", "cannot convert float infinity to integer");
      }
      return Double.isNaN(d) ? defaultValue : PythonNumbers.truncate(d);
    }
    return PythonNumbers.isInt(value)
        ? PythonNumbers.narrow(PythonNumbers.big(value))
        : defaultValue;
  }

  private static Object toFloat(Object value, @Nullable Object[] args) {
    if (value instanceof Undefined u) {
      throw u.fail();
    }
    if (PythonNumbers.isNumber(value)) {
      return PythonNumbers.toDouble(value);
    }
    Double d = value instanceof TracedText t ? NumberParsing.parseFloat(t.text()) : null;
    return d == null ? Filters.or(args[0], 0.0) : d;
  }

  private static Object round(Object value, @Nullable Object[] args) {
    Object precision = Filters.or(args[0], 0L);
    Object method = Filters.or(args[1], TracedText.trusted("common"));
    String how = TextMethods.text(method).text();
    if (!how.equals("common") && !how.equals("ceil") && !how.equals("floor")) {
      throw EvaluationError.argument("method must be common, ceil or floor");
    }
    if (!PythonNumbers.isNumber(value)) {
      throw EvaluationError.type(
          "type " + Values.typeName(value) + " doesn't define __round__ method");
    }
    if (how.equals("common")) {
      Integer digits =
          precision == None.NONE ? null : (Integer) PythonNumbers.toCount(precision, "precision");
      return PythonNumbers.round(value, digits);
    }
    Object scale = PythonNumbers.arithmetic('p', 10L, precision);
    Object scaled = scale == null ? null : PythonNumbers.arithmetic('*', value, scale);
    if (scale == null || scaled == null) {
      throw EvaluationError.type(
          "precision must be a number, not '" + Values.typeName(precision) + "'");
    }
    Object whole = scaled;
    if (scaled instanceof Double d) {
      whole = PythonNumbers.truncate(how.equals("ceil") ? Math.ceil(d) : Math.floor(d));
    }
    return Filters.or(PythonNumbers.arithmetic('/', whole, scale), None.NONE);
  }
}
