package dev.ocellus.vlm.template.runtime;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.Locale;

/** Floats with a given precision, rounded exactly as C does. */
public final class FloatFormat {
  private static final int MAX_PRECISION = 10_000;

  private FloatFormat() {}

  /**
   * The absolute value of {@code d} in style {@code e}, {@code f}, {@code g} or {@code %}, upper
   * case as the style is.
   *
   * @param keepZeros the {@code #} flag: keep trailing zeros and the point
   */
  public static String format(double d, char style, int precision, boolean keepZeros) {
    if (precision > MAX_PRECISION) {
      throw EvaluationError.value("precision too big");
    }
    String out = unsigned(Math.abs(d), Character.toLowerCase(style), precision, keepZeros);
    return Character.isUpperCase(style) ? out.toUpperCase(Locale.ROOT) : out;
  }

  private static String unsigned(double d, char style, int precision, boolean keepZeros) {
    if (Double.isNaN(d) || Double.isInfinite(d)) {
      return (Double.isNaN(d) ? "nan" : "inf") + (style == '%' ? "%" : "");
    }
    BigDecimal exact = new BigDecimal(d);
    String point = keepZeros && precision == 0 ? "." : "";
    return switch (style) {
      case 'f' -> exact.setScale(precision, RoundingMode.HALF_EVEN).toPlainString() + point;
      case '%' ->
          new BigDecimal(d * 100).setScale(precision, RoundingMode.HALF_EVEN).toPlainString()
              + point
              + "%";
      case 'e' -> exponent(exact, precision, point);
      default -> general(exact, Math.max(1, precision), keepZeros);
    };
  }

  private static BigDecimal significant(BigDecimal exact, int digits) {
    return exact.round(new MathContext(digits, RoundingMode.HALF_EVEN));
  }

  private static int magnitude(BigDecimal b) {
    return b.signum() == 0 ? 0 : b.precision() - b.scale() - 1;
  }

  private static String exponent(BigDecimal exact, int precision, String point) {
    BigDecimal rounded = significant(exact, precision + 1);
    String digits = rounded.unscaledValue().toString();
    if (rounded.signum() == 0) {
      digits = "0";
    }
    digits = digits + "0".repeat(Math.max(0, precision + 1 - digits.length()));
    String mantissa = digits.substring(0, 1);
    if (precision > 0) {
      mantissa += "." + digits.substring(1, precision + 1);
    }
    int e = magnitude(rounded);
    String size = Math.abs(e) < 10 ? "0" + Math.abs(e) : String.valueOf(Math.abs(e));
    return mantissa + point + "e" + (e < 0 ? "-" : "+") + size;
  }

  private static String general(BigDecimal exact, int precision, boolean keepZeros) {
    int e = magnitude(significant(exact, precision));
    String out;
    String tail = "";
    if (e < -4 || e >= precision) {
      out = exponent(exact, precision - 1, "");
      int at = out.indexOf('e');
      tail = out.substring(at);
      out = out.substring(0, at);
    } else {
      out = exact.setScale(precision - 1 - e, RoundingMode.HALF_EVEN).toPlainString();
    }
    if (!keepZeros && out.indexOf('.') >= 0) {
      int end = out.length();
      while (out.charAt(end - 1) == '0') {
        end--;
      }
      out = out.substring(0, out.charAt(end - 1) == '.' ? end - 1 : end);
    }
    return out + tail;
  }
}
