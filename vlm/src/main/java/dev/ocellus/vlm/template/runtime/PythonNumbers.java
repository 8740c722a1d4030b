package dev.ocellus.vlm.template.runtime;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import org.jspecify.annotations.Nullable;

/** Python's numbers: unbounded int (bounded here), float, and bool that counts as int. */
public final class PythonNumbers {
  /** Largest int in bits: those of 4,300 digits, as Python refuses to print longer ones. */
  private static final int MAX_BITS = 14_285;

  private static final BigInteger LONG_MIN = BigInteger.valueOf(Long.MIN_VALUE);
  private static final BigInteger LONG_MAX = BigInteger.valueOf(Long.MAX_VALUE);

  private PythonNumbers() {}

  public static boolean isInt(Object o) {
    return o instanceof Long || o instanceof BigInteger || o instanceof Boolean;
  }

  public static boolean isNumber(Object o) {
    return isInt(o) || o instanceof Double;
  }

  /** A Long where it fits. */
  public static Object narrow(BigInteger b) {
    return b.compareTo(LONG_MIN) >= 0 && b.compareTo(LONG_MAX) <= 0 ? (Object) b.longValue() : b;
  }

  public static Object bounded(BigInteger b) {
    if (b.bitLength() > MAX_BITS) {
      throw EvaluationError.limit("an integer of more than " + MAX_BITS + " bits");
    }
    return narrow(b);
  }

  public static BigInteger big(Object o) {
    if (o instanceof BigInteger b) {
      return b;
    }
    return BigInteger.valueOf(o instanceof Boolean b ? (b ? 1 : 0) : (Long) o);
  }

  public static double toDouble(Object o) {
    if (o instanceof Double d) {
      return d;
    }
    if (o instanceof Long l) {
      return l;
    }
    double d = big(o).doubleValue();
    if (Double.isInfinite(d)) {
      throw new EvaluationError("OverflowError", "int too large to convert to float");
    }
    return d;
  }

  /** The value as an index or count; far values saturate. */
  public static long toLong(Object o, String what) {
    if (o instanceof Long l) {
      return l;
    }
    if (o instanceof Boolean b) {
      return b ? 1 : 0;
    }
    if (o instanceof BigInteger b) {
      return b.signum() < 0 ? Long.MIN_VALUE : Long.MAX_VALUE;
    }
    if (o instanceof Undefined u) {
      throw u.fail();
    }
    throw EvaluationError.type(what + " must be an integer, not '" + Values.typeName(o) + "'");
  }

  public static int toCount(Object o, String what) {
    return (int) Math.max(Integer.MIN_VALUE, Math.min(Integer.MAX_VALUE, toLong(o, what)));
  }

  public static @Nullable Object arithmetic(char op, Object a, Object b) {
    if (!isNumber(a) || !isNumber(b)) {
      return null;
    }
    if (a instanceof Double || b instanceof Double || op == '/') {
      return floating(op, toDouble(a), toDouble(b));
    }
    if (a instanceof Long x && b instanceof Long y) {
      Object quick = quick(op, x, y);
      if (quick != null) {
        return quick;
      }
    }
    return integral(op, big(a), big(b));
  }

  private static @Nullable Object quick(char op, long x, long y) {
    return switch (op) {
      case '+' -> {
        long r = x + y;
        yield ((x ^ r) & (y ^ r)) < 0 ? null : (Object) r;
      }
      case '-' -> {
        long r = x - y;
        yield ((x ^ y) & (x ^ r)) < 0 ? null : (Object) r;
      }
      case '%' -> y == 0 ? null : (Object) Math.floorMod(x, y);
      default -> null;
    };
  }

  private static Object integral(char op, BigInteger a, BigInteger b) {
    return switch (op) {
      case '+' -> bounded(a.add(b));
      case '-' -> bounded(a.subtract(b));
      case '*' -> {
        checkBits((long) a.bitLength() + b.bitLength());
        yield bounded(a.multiply(b));
      }
      case 'f', '%' -> {
        if (b.signum() == 0) {
          throw new EvaluationError("ZeroDivisionError", "integer division or modulo by zero");
        }
        BigInteger[] qr = a.divideAndRemainder(b);
        boolean adjust = qr[1].signum() != 0 && qr[1].signum() != b.signum();
        if (op == '%') {
          yield narrow(adjust ? qr[1].add(b) : qr[1]);
        }
        yield narrow(adjust ? qr[0].subtract(BigInteger.ONE) : qr[0]);
      }
      default -> power(a, b);
    };
  }

  private static Object power(BigInteger a, BigInteger b) {
    if (b.signum() < 0) {
      if (a.signum() == 0) {
        throw new EvaluationError("ZeroDivisionError", "0.0 cannot be raised to a negative power");
      }
      return Math.pow(toDouble(narrow(a)), toDouble(narrow(b)));
    }
    if (a.bitLength() <= 1 && a.abs().compareTo(BigInteger.ONE) <= 0) {
      if (a.signum() == 0 && b.signum() > 0) {
        return 0L;
      }
      long sign = a.signum() < 0 && b.testBit(0) ? -1 : 1;
      return sign;
    }
    checkBits(b.bitLength() > 20 ? Long.MAX_VALUE : (a.bitLength() - 1L) * b.longValue());
    return bounded(a.pow(b.intValue()));
  }

  private static void checkBits(long bits) {
    if (bits > MAX_BITS + 64) {
      throw EvaluationError.limit("an integer of more than " + MAX_BITS + " bits");
    }
  }

  private static Object floating(char op, double a, double b) {
    return switch (op) {
      case '+' -> a + b;
      case '-' -> a - b;
      case '*' -> a * b;
      case '/' -> {
        if (b == 0) {
          throw new EvaluationError("ZeroDivisionError", "division by zero");
        }
        yield a / b;
      }
      case 'f' -> {
        if (b == 0) {
          throw new EvaluationError("ZeroDivisionError", "float floor division by zero");
        }
        yield floorDivide(a, b);
      }
      case '%' -> {
        if (b == 0) {
          throw new EvaluationError("ZeroDivisionError", "float modulo");
        }
        yield modulo(a, b);
      }
      default -> {
        if (a == 0 && b < 0) {
          throw new EvaluationError(
              "ZeroDivisionError", "0.0 cannot be raised to a negative power");
        }
        if (a == 1) {
          yield 1.0;
        }
        double r = Math.pow(a, b);
        if (Double.isInfinite(r) && !Double.isInfinite(a) && !Double.isInfinite(b)) {
          throw new EvaluationError("OverflowError", "Numerical result out of range");
        }
        if (Double.isNaN(r) && !Double.isNaN(a) && !Double.isNaN(b)) {
          throw EvaluationError.value("a negative number cannot be raised to a fractional power");
        }
        yield r;
      }
    };
  }

  private static double modulo(double a, double b) {
    double r = a % b;
    if (r != 0) {
      return (b < 0) != (r < 0) ? r + b : r;
    }
    return Math.copySign(0.0, b);
  }

  private static double floorDivide(double a, double b) {
    double r = a % b;
    double div = (a - r) / b;
    if (r != 0 && (b < 0) != (r < 0)) {
      div -= 1;
    }
    if (div == 0) {
      return Math.copySign(0.0, a / b);
    }
    double floor = Math.floor(div);
    return div - floor > 0.5 ? floor + 1 : floor;
  }

  static Object negate(Object o) {
    if (o instanceof Double d) {
      return -d;
    }
    return narrow(big(o).negate());
  }

  public static Object absolute(Object o) {
    if (o instanceof Double d) {
      return Math.abs(d);
    }
    return narrow(big(o).abs());
  }

  /** Python's {@code int(float)}. */
  public static Object truncate(double d) {
    if (Double.isNaN(d)) {
      throw EvaluationError.value("cannot convert float NaN to integer");
    }
    if (Double.isInfinite(d)) {
      throw new EvaluationError("OverflowError", "cannot convert float infinity to integer");
    }
    return narrow(new BigDecimal(d).toBigInteger());
  }

  /** Python's {@code round}: half to even. */
  public static Object round(Object o, @Nullable Integer digits) {
    if (o instanceof Double d) {
      if (digits == null) {
        return truncate(Double.isNaN(d) || Double.isInfinite(d) ? d : Math.rint(d));
      }
      if (Double.isNaN(d) || Double.isInfinite(d) || digits > 330) {
        return d;
      }
      if (digits < -330) {
        return Math.copySign(0.0, d);
      }
      BigDecimal rounded = new BigDecimal(d).setScale(digits, RoundingMode.HALF_EVEN);
      return Math.copySign(rounded.doubleValue(), d);
    }
    if (digits == null || digits >= 0) {
      return narrow(big(o));
    }
    if (digits < -5000) {
      return 0L;
    }
    return narrow(new BigDecimal(big(o)).setScale(digits, RoundingMode.HALF_EVEN).toBigInteger());
  }

  static int compare(Object a, Object b) {
    if (a instanceof Long x && b instanceof Long y) {
      return Long.compare(x, y);
    }
    if (a instanceof Double || b instanceof Double) {
      Double x = a instanceof Double d ? d : null;
      Double y = b instanceof Double d ? d : null;
      if (x != null && y != null) {
        return x < y ? -1 : x > y ? 1 : 0;
      }
      double special = x != null ? x : y != null ? y : 0;
      if (Double.isInfinite(special)) {
        return (special > 0) == (x != null) ? 1 : -1;
      }
      return decimal(a).compareTo(decimal(b));
    }
    return big(a).compareTo(big(b));
  }

  private static BigDecimal decimal(Object o) {
    return o instanceof Double d ? new BigDecimal(d) : new BigDecimal(big(o));
  }

  static boolean isNan(Object o) {
    return o instanceof Double d && Double.isNaN(d);
  }
}
