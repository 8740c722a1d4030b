package dev.ocellus.tests.bench;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/** Pairs of option and value, and the output that goes with them. */
final class Options {
  private final Map<String, String> values = new HashMap<>();

  Options(String... args) {
    if (args.length % 2 != 0) {
      throw new IllegalArgumentException("every option takes a value: " + String.join(" ", args));
    }
    for (int i = 0; i < args.length; i += 2) {
      values.put(args[i], args[i + 1]);
    }
  }

  int number(String name, int defaultValue) {
    String value = values.get(name);
    return value == null ? defaultValue : Integer.parseInt(value);
  }

  Path path(String name) {
    return Path.of(text(name));
  }

  String text(String name) {
    String value = values.get(name);
    if (value == null) {
      throw new IllegalArgumentException("the option " + name + " is missing");
    }
    return value;
  }

  String text(String name, String defaultValue) {
    return values.getOrDefault(name, defaultValue);
  }

  /** Prints a name and its measurements on a line. */
  static void print(String name, double... values) {
    StringBuilder line = new StringBuilder(name);
    for (double value : values) {
      line.append(String.format(Locale.ROOT, " %.3f", value));
    }
    System.out.println(line);
  }
}
