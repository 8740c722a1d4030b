package dev.ocellus.vlm.grammar.schema;

import dev.ocellus.vlm.grammar.CharSet;
import dev.ocellus.vlm.grammar.GrammarExpr;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Expressions of the decimal numbers between bounds, digit by digit. */
final class NumberRanges {
  /** Digits behind the point, and of integers without an upper bound. */
  private static final int MAX_DIGITS = 16;

  static final GrammarExpr DIGIT = new GrammarExpr.Chars(CharSet.of('0', '9'));
  private static final GrammarExpr NON_ZERO = new GrammarExpr.Chars(CharSet.of('1', '9'));
  private static final GrammarExpr ANY_DIGITS = new GrammarExpr.Repeat(DIGIT, 1, MAX_DIGITS);

  /** The integers without a bound. */
  static final GrammarExpr INTEGER =
      new GrammarExpr.Choice(
          List.of(
              GrammarExpr.literal("0"),
              GrammarExpr.sequence(
                  GrammarExpr.optional(GrammarExpr.literal("-")),
                  NON_ZERO,
                  new GrammarExpr.Repeat(DIGIT, 0, MAX_DIGITS - 1))));

  private static final GrammarExpr EXPONENT =
      GrammarExpr.sequence(
          new GrammarExpr.Chars(CharSet.ofChars("eE")),
          GrammarExpr.optional(new GrammarExpr.Chars(CharSet.ofChars("+-"))),
          new GrammarExpr.Repeat(DIGIT, 1, 2));

  /** The numbers without a bound. */
  static final GrammarExpr NUMBER =
      GrammarExpr.sequence(
          GrammarExpr.optional(GrammarExpr.literal("-")),
          GrammarExpr.choice(
              List.of(
                  GrammarExpr.literal("0"),
                  GrammarExpr.sequence(
                      NON_ZERO, new GrammarExpr.Repeat(DIGIT, 0, MAX_DIGITS - 1)))),
          GrammarExpr.optional(GrammarExpr.sequence(GrammarExpr.literal("."), ANY_DIGITS)),
          GrammarExpr.optional(EXPONENT));

  private NumberRanges() {}

  /** A bound; {@code inclusive} if the number itself is allowed. */
  record Bound(BigDecimal value, boolean inclusive) {
    Bound negate() {
      return new Bound(value.negate(), inclusive);
    }
  }

  /** The integers between two bounds, either of which may be missing; null if there are none. */
  static @Nullable GrammarExpr integers(@Nullable Bound low, @Nullable Bound high) {
    if (low == null && high == null) {
      return INTEGER;
    }
    BigInteger from = null;
    if (low != null) {
      from = low.value.setScale(0, RoundingMode.CEILING).toBigInteger();
      if (!low.inclusive && new BigDecimal(from).compareTo(low.value) == 0) {
        from = from.add(BigInteger.ONE);
      }
    }
    BigInteger to = null;
    if (high != null) {
      to = high.value.setScale(0, RoundingMode.FLOOR).toBigInteger();
      if (!high.inclusive && new BigDecimal(to).compareTo(high.value) == 0) {
        to = to.subtract(BigInteger.ONE);
      }
    }
    if (from != null && to != null && from.compareTo(to) > 0) {
      return null;
    }
    List<GrammarExpr> options = new ArrayList<>();
    if (to == null || to.signum() >= 0) {
      BigInteger min = from == null || from.signum() < 0 ? BigInteger.ZERO : from;
      options.add(naturals(min, to));
    }
    if (from == null || from.signum() < 0) {
      BigInteger min = to == null || to.signum() >= 0 ? BigInteger.ONE : to.negate();
      options.add(
          GrammarExpr.sequence(
              GrammarExpr.literal("-"), naturals(min, from == null ? null : from.negate())));
    }
    return GrammarExpr.choice(options);
  }

  /** The integers from {@code from}, at least 0, to {@code to}, or on without end. */
  private static GrammarExpr naturals(BigInteger from, @Nullable BigInteger to) {
    String low = from.toString();
    List<GrammarExpr> options = new ArrayList<>();
    if (to == null) {
      options.add(sameLength(low, "9".repeat(low.length())));
      int more = Math.max(low.length(), MAX_DIGITS - 1);
      options.add(
          GrammarExpr.sequence(NON_ZERO, new GrammarExpr.Repeat(DIGIT, low.length(), more)));
      return new GrammarExpr.Choice(options);
    }
    String high = to.toString();
    while (low.length() < high.length()) {
      options.add(sameLength(low, "9".repeat(low.length())));
      low = "1" + "0".repeat(low.length());
    }
    options.add(sameLength(low, high));
    return GrammarExpr.choice(options);
  }

  /** The digit strings from one to another of the same length. */
  private static GrammarExpr sameLength(String low, String high) {
    int n = low.length();
    if (low.equals("0".repeat(n)) && high.equals("9".repeat(n))) {
      return new GrammarExpr.Repeat(DIGIT, n, n);
    }
    char a = low.charAt(0);
    char b = high.charAt(0);
    if (n == 1) {
      return digits(a, b);
    }
    if (a == b) {
      return GrammarExpr.sequence(digits(a, a), sameLength(low.substring(1), high.substring(1)));
    }
    String nines = "9".repeat(n - 1);
    String zeros = "0".repeat(n - 1);
    List<GrammarExpr> options = new ArrayList<>();
    char from = a;
    char to = b;
    if (!low.substring(1).equals(zeros)) {
      options.add(GrammarExpr.sequence(digits(a, a), sameLength(low.substring(1), nines)));
      from++;
    }
    if (!high.substring(1).equals(nines)) {
      options.add(GrammarExpr.sequence(digits(b, b), sameLength(zeros, high.substring(1))));
      to--;
    }
    if (from <= to) {
      options.add(
          GrammarExpr.sequence(digits(from, to), new GrammarExpr.Repeat(DIGIT, n - 1, n - 1)));
    }
    return GrammarExpr.choice(options);
  }

  private static GrammarExpr digits(int from, int to) {
    return new GrammarExpr.Chars(CharSet.of(from, to));
  }

  /** The numbers between two bounds, either of which may be missing; null if there are none. */
  static @Nullable GrammarExpr numbers(@Nullable Bound low, @Nullable Bound high) {
    if (low == null && high == null) {
      return NUMBER;
    }
    Bound zero = new Bound(BigDecimal.ZERO, true);
    List<GrammarExpr> options = new ArrayList<>();
    if (high == null || high.value.signum() >= 0) {
      GrammarExpr positive = magnitudes(low == null || low.value.signum() < 0 ? zero : low, high);
      if (positive != null) {
        options.add(positive);
      }
    }
    if (low == null || low.value.signum() < 0) {
      Bound min =
          high == null || high.value.signum() >= 0
              ? new Bound(BigDecimal.ZERO, false)
              : high.negate();
      GrammarExpr negative = magnitudes(min, low == null ? null : low.negate());
      if (negative != null) {
        options.add(GrammarExpr.sequence(GrammarExpr.literal("-"), negative));
      }
    }
    return options.isEmpty() ? null : GrammarExpr.choice(options);
  }

  /** The numbers between bounds of at least 0. */
  private static @Nullable GrammarExpr magnitudes(Bound low, @Nullable Bound high) {
    if (high != null && low.value.compareTo(high.value) > 0) {
      return null;
    }
    BigInteger from = low.value.toBigInteger();
    Fraction lowFraction = Fraction.of(low);
    List<GrammarExpr> options = new ArrayList<>();
    if (high == null) {
      options.add(naturalsWithFraction(from.add(BigInteger.ONE), null));
      addWhole(options, from, lowFraction, null);
    } else {
      BigInteger to = high.value.toBigInteger();
      Fraction highFraction = Fraction.of(high);
      if (from.equals(to)) {
        addWhole(options, from, lowFraction, highFraction);
      } else {
        addWhole(options, from, lowFraction, null);
        addWhole(options, to, Fraction.ZERO, highFraction);
        BigInteger last = to.subtract(BigInteger.ONE);
        if (from.compareTo(last) < 0) {
          options.add(naturalsWithFraction(from.add(BigInteger.ONE), last));
        }
      }
    }
    return options.isEmpty() ? null : GrammarExpr.choice(options);
  }

  private static GrammarExpr naturalsWithFraction(BigInteger from, @Nullable BigInteger to) {
    return GrammarExpr.sequence(
        naturals(from, to),
        GrammarExpr.optional(GrammarExpr.sequence(GrammarExpr.literal("."), ANY_DIGITS)));
  }

  /** Adds the numbers of one integer part whose fraction lies between bounds. */
  private static void addWhole(
      List<GrammarExpr> to, BigInteger whole, Fraction low, @Nullable Fraction high) {
    GrammarExpr integer = GrammarExpr.literal(whole.toString());
    if (low.allowsNothing(0) && (high == null || high.isAboveZero(0) || high.inclusive)) {
      to.add(integer);
    }
    GrammarExpr fraction = high == null ? low.orMore(0) : between(low, high, 0);
    if (fraction != null) {
      to.add(GrammarExpr.sequence(integer, GrammarExpr.literal("."), fraction));
    }
  }

  /** Digits behind the point, without zeros at the end; a bound. */
  private record Fraction(String digits, boolean inclusive) {
    static final Fraction ZERO = new Fraction("", true);

    static Fraction of(Bound bound) {
      BigDecimal part = bound.value.subtract(new BigDecimal(bound.value.toBigInteger()));
      String text = part.stripTrailingZeros().toPlainString();
      return new Fraction(text.length() > 2 ? text.substring(2) : "", bound.inclusive);
    }

    char digit(int i) {
      return i < digits.length() ? digits.charAt(i) : '0';
    }

    boolean isAboveZero(int i) {
      return i < digits.length();
    }

    /** Whether no more digits are enough for a lower bound. */
    boolean allowsNothing(int i) {
      return i >= digits.length() && inclusive;
    }

    /** One digit or more that do not fall below the bound. */
    @Nullable GrammarExpr orMore(int i) {
      if (i >= digits.length()) {
        return inclusive
            ? ANY_DIGITS
            : GrammarExpr.sequence(
                new GrammarExpr.Repeat(GrammarExpr.literal("0"), 0, MAX_DIGITS),
                NON_ZERO,
                new GrammarExpr.Repeat(DIGIT, 0, MAX_DIGITS));
      }
      List<GrammarExpr> options = new ArrayList<>();
      addThen(options, digit(i), orMore(i + 1), allowsNothing(i + 1));
      addAny(options, digit(i) + 1, '9');
      return GrammarExpr.choice(options);
    }

    /** One digit or more that do not exceed the bound. */
    @Nullable GrammarExpr orLess(int i) {
      if (i >= digits.length()) {
        return inclusive ? new GrammarExpr.Repeat(GrammarExpr.literal("0"), 1, MAX_DIGITS) : null;
      }
      List<GrammarExpr> options = new ArrayList<>();
      addThen(options, digit(i), orLess(i + 1), isAboveZero(i + 1) || inclusive);
      addAny(options, '0', digit(i) - 1);
      return options.isEmpty() ? null : GrammarExpr.choice(options);
    }
  }

  private static @Nullable GrammarExpr between(Fraction low, Fraction high, int i) {
    if (!low.isAboveZero(i) && !high.isAboveZero(i)) {
      return low.inclusive && high.inclusive ? high.orLess(i) : null;
    }
    if (!low.isAboveZero(i) && low.inclusive) {
      return high.orLess(i);
    }
    List<GrammarExpr> options = new ArrayList<>();
    char a = low.digit(i);
    char b = high.digit(i);
    if (a == b) {
      addThen(
          options,
          a,
          between(low, high, i + 1),
          low.allowsNothing(i + 1) && (high.isAboveZero(i + 1) || high.inclusive));
    } else if (a < b) {
      addThen(options, a, low.orMore(i + 1), low.allowsNothing(i + 1));
      addAny(options, a + 1, b - 1);
      addThen(options, b, high.orLess(i + 1), high.isAboveZero(i + 1) || high.inclusive);
    }
    return options.isEmpty() ? null : GrammarExpr.choice(options);
  }

  private static void addAny(List<GrammarExpr> to, int from, int last) {
    if (from <= last) {
      to.add(
          GrammarExpr.sequence(digits(from, last), new GrammarExpr.Repeat(DIGIT, 0, MAX_DIGITS)));
    }
  }

  private static void addThen(
      List<GrammarExpr> to, char digit, @Nullable GrammarExpr rest, boolean mayEnd) {
    if (rest != null) {
      to.add(
          GrammarExpr.sequence(digits(digit, digit), mayEnd ? GrammarExpr.optional(rest) : rest));
    } else if (mayEnd) {
      to.add(digits(digit, digit));
    }
  }
}
