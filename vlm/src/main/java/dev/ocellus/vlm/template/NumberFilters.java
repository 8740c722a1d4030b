package dev.ocellus.vlm.template;

import java.math.BigDecimal;
import java.math.RoundingMode;
import org.jspecify.annotations.Nullable;

/** Filters about numbers. */
final class NumberFilters {
  private static final String[] UNITS = {"k", "M", "G", "T", "P", "E", "Z", "Y"};

  private NumberFilters() {}

  static Object apply(Evaluation in, String name, Object value, Arguments args) {
    return switch (name) {
      case "int" -> toInt(value, args.bind(name, 0, "default", "base"));
      case "float" -> toFloat(value, args.bind(name, 0, "default"));
      case "abs" -> {
        Filters.none(name, args);
        if (!Numbers.isNumber(value)) {
          throw Fail.type("bad operand type for abs(): '" + Values.typeName(value) + "'");
        }
        yield Numbers.absolute(value);
      }
      case "round" -> round(value, args.bind(name, 0, "precision", "method"));
      default -> fileSize(in, value, args.bind(name, 0, "binary"));
    };
  }

  private static Object toInt(Object value, @Nullable Object[] args) {
    Object otherwise = Filters.or(args[0], 0L);
    long base = Numbers.toLong(Filters.or(args[1], 10L), "base");
    if (value instanceof Undefined u) {
      throw u.fail();
    }
    if (value instanceof Text t) {
      Object parsed = null;
      try {
        parsed = NumberParsing.parseInt(t.text(), base);
      } catch (Fail e) {
        if (!e.isValueOrType()) {
          throw e;
        }
      }
      if (parsed != null) {
        return parsed;
      }
      Double d = NumberParsing.parseFloat(t.text());
      return d == null || Double.isNaN(d) || Double.isInfinite(d) ? otherwise : Numbers.truncate(d);
    }
    if (value instanceof Double d) {
      if (Double.isInfinite(d)) {
        throw new Fail("OverflowError", "cannot convert float infinity to integer");
      }
      return Double.isNaN(d) ? otherwise : Numbers.truncate(d);
    }
    return Numbers.isInt(value) ? Numbers.narrow(Numbers.big(value)) : otherwise;
  }

  private static Object toFloat(Object value, @Nullable Object[] args) {
    if (value instanceof Undefined u) {
      throw u.fail();
    }
    if (Numbers.isNumber(value)) {
      return Numbers.toDouble(value);
    }
    Double d = value instanceof Text t ? NumberParsing.parseFloat(t.text()) : null;
    return d == null ? Filters.or(args[0], 0.0) : d;
  }

  private static Object round(Object value, @Nullable Object[] args) {
    Object precision = Filters.or(args[0], 0L);
    Object method = Filters.or(args[1], Text.trusted("common"));
    String how = TextMethods.text(method).text();
    if (!how.equals("common") && !how.equals("ceil") && !how.equals("floor")) {
      throw Fail.argument("method must be common, ceil or floor");
    }
    if (!Numbers.isNumber(value)) {
      throw Fail.type("type " + Values.typeName(value) + " doesn't define __round__ method");
    }
    if (how.equals("common")) {
      Integer digits =
          precision == None.NONE ? null : (Integer) Numbers.toCount(precision, "precision");
      return Numbers.round(value, digits);
    }
    Object scale = Numbers.arithmetic('p', 10L, precision);
    Object scaled = scale == null ? null : Numbers.arithmetic('*', value, scale);
    if (scale == null || scaled == null) {
      throw Fail.type("precision must be a number, not '" + Values.typeName(precision) + "'");
    }
    Object whole = scaled;
    if (scaled instanceof Double d) {
      whole = Numbers.truncate(how.equals("ceil") ? Math.ceil(d) : Math.floor(d));
    }
    return Filters.or(Numbers.arithmetic('/', whole, scale), None.NONE);
  }

  private static Object fileSize(Evaluation in, Object value, @Nullable Object[] args) {
    Object number = value instanceof Text t ? NumberParsing.parseFloat(t.text()) : value;
    if (number == null || !Numbers.isNumber(number)) {
      throw Fail.value("could not convert to float: " + Printing.repr(in, value));
    }
    double bytes = Numbers.toDouble(number);
    boolean binary = Filters.flag(args[0]);
    double base = binary ? 1024 : 1000;
    if (bytes == 1) {
      return Text.trusted("1 Byte");
    }
    if (bytes < base) {
      return Text.trusted(Numbers.truncate(bytes) + " Bytes");
    }
    int i = 0;
    double unit = base * base;
    while (i < UNITS.length - 1 && bytes >= unit) {
      unit *= base;
      i++;
    }
    String prefix = binary ? UNITS[i].replace('k', 'K') + "iB" : UNITS[i] + "B";
    BigDecimal shown = new BigDecimal(base * bytes / unit).setScale(1, RoundingMode.HALF_EVEN);
    return Text.trusted(shown.toPlainString() + " " + prefix);
  }
}
