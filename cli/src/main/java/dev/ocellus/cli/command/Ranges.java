package dev.ocellus.cli.command;

import java.lang.reflect.Field;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/** Compares the numbers of a command line with the {@link Range}s of their options. */
public final class Ranges {
  private static final Set<Class<?>> WHOLE =
      Set.of(int.class, Integer.class, long.class, Long.class);

  private static final Set<Class<?>> FRACTIONAL =
      Set.of(float.class, Float.class, double.class, Double.class);

  private Ranges() {}

  /**
   * Refuses numbers out of range.
   *
   * @throws ParameterException that names the option, what it takes and what was found
   */
  public static void check(ParseResult given) {
    for (OptionSpec option : given.matchedOptions()) {
      List<Object> values = option.typedValues();
      if (isNumber(option) && !values.isEmpty()) {
        Number value = (Number) values.getLast();
        if (!takes(of(option), value)) {
          throw new ParameterException(
              given.commandSpec().commandLine(),
              message(
                  option,
                  given.originalArgs(),
                  expected(option),
                  option.originalStringValues().getLast()));
        }
      }
    }
  }

  /** Whether an option is a number. */
  static boolean isNumber(ArgSpec option) {
    return isWhole(option) || FRACTIONAL.contains(option.type());
  }

  /** Whether an option is a number without a fraction. */
  static boolean isWhole(ArgSpec option) {
    return WHOLE.contains(option.type());
  }

  /**
   * The range of an option that is a number.
   *
   * @throws IllegalStateException if it has none
   */
  static Range of(ArgSpec option) {
    Range range =
        option.userObject() instanceof Field field ? field.getAnnotation(Range.class) : null;
    if (range == null) {
      throw new IllegalStateException(option + " has no range");
    }
    return range;
  }

  private static boolean takes(Range range, Number value) {
    double x = value.doubleValue();
    boolean single = value instanceof Float;
    double min = single ? (float) range.min() : range.min();
    double max = single ? (float) range.max() : range.max();
    return Double.isFinite(x) && ((x >= min && x > range.above() && x <= max) || x == range.or());
  }

  /**
   * What to say of a value that is no number, or too large for one; null of another mistake.
   *
   * @param arguments of the command line
   */
  static @Nullable String notANumber(ParameterException e, List<String> arguments) {
    ArgSpec argument = e.getArgSpec();
    String value = e.getValue();
    return argument instanceof OptionSpec option && value != null && isNumber(option)
        ? message(option, arguments, anyOf(option), value)
        : null;
  }

  private static String message(
      OptionSpec option, List<String> arguments, String expected, String found) {
    return "%s: expected %s, found %s".formatted(typed(option, arguments), expected, found);
  }

  /** The name by which an option was given, of those that it has. */
  private static String typed(OptionSpec option, List<String> arguments) {
    List<String> names = List.of(option.names());
    return arguments.reversed().stream()
        .map(argument -> argument.replaceFirst("(?s)=.*", ""))
        .filter(names::contains)
        .findFirst()
        .orElse(names.getFirst());
  }

  /** What an option takes, in words. */
  private static String expected(OptionSpec option) {
    Range range = of(option);
    boolean bounded = Double.isFinite(range.max());
    String all =
        Double.isFinite(range.above())
            ? "above " + text(range.above()) + (bounded ? ", up to " + text(range.max()) : "")
            : Double.isFinite(range.min())
                ? bounded
                    ? text(range.min()) + " to " + text(range.max())
                    : "at least " + text(range.min())
                : bounded ? "at most " + text(range.max()) : "a finite number";
    return Double.isNaN(range.or()) ? all : all + ", or " + text(range.or());
  }

  /** The same for what is no number at all. */
  private static String anyOf(OptionSpec option) {
    Range range = of(option);
    if (!isWhole(option)) {
      String expected = expected(option);
      return expected.startsWith("a ") ? expected : "a number, " + expected;
    }
    boolean isInt = option.type() == int.class || option.type() == Integer.class;
    long least = isInt ? Integer.MIN_VALUE : Long.MIN_VALUE;
    long most = isInt ? Integer.MAX_VALUE : Long.MAX_VALUE;
    long min = Math.max(least, (long) Math.max(range.min(), range.above() + 1));
    String all = "a whole number, %d to %d".formatted(min, Math.min(most, (long) range.max()));
    return Double.isNaN(range.or()) ? all : all + ", or " + text(range.or());
  }

  private static String text(double number) {
    return number == (long) number ? Long.toString((long) number) : Double.toString(number);
  }
}
