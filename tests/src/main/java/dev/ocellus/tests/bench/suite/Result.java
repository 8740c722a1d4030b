package dev.ocellus.tests.bench.suite;

import java.io.IOException;
import java.util.Arrays;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What the rounds of a row gave.
 *
 * @param own values of Ocellus
 * @param peer values of the other side; NaN where there is none
 * @param failure why there are none
 */
record Result(Row row, double[] own, double[] peer, @Nullable String failure) {
  /** Measures both sides in turns, A B, then B A: what slows the machine down favours neither. */
  static Result of(Row row, int rounds) throws InterruptedException {
    double[] own = new double[rounds];
    double[] peer = new double[rounds];
    try {
      for (int i = 0; i < rounds; i++) {
        if (i % 2 == 0) {
          own[i] = row.own().once();
          peer[i] = row.peer().once();
        } else {
          peer[i] = row.peer().once();
          own[i] = row.own().once();
        }
      }
      return new Result(row, own, peer, null);
    } catch (IOException | RuntimeException e) {
      System.err.println(e.getMessage());
      return new Result(row, new double[0], new double[0], String.valueOf(e.getMessage()));
    }
  }

  /** As a row of a table in Markdown: medians, and the smallest and largest of the rounds. */
  String markdown() {
    if (failure != null) {
      // what a tool says last is why it ended
      String why = failure.lines().filter(l -> !l.isBlank()).reduce("", (a, b) -> b);
      return "| %s | not measured: %s | | | %s |"
          .formatted(row.name(), why.replace("|", "\\|"), row.goal());
    }
    boolean alone = Double.isNaN(peer[0]);
    double[] ratios = new double[own.length];
    Arrays.setAll(ratios, i -> own[i] / peer[i]);
    return "| %s | %s | %s | %s | %s |"
        .formatted(
            row.name(),
            spread(own),
            alone ? "" : spread(peer),
            alone
                ? ""
                : String.format(
                    Locale.ROOT, "%.2f (%.2f to %.2f)", median(ratios), min(ratios), max(ratios)),
            row.goal());
  }

  private static String spread(double... values) {
    return "%s (%s to %s)"
        .formatted(number(median(values)), number(min(values)), number(max(values)));
  }

  private static String number(double value) {
    return String.format(Locale.ROOT, value < 10 ? "%.2f" : value < 100 ? "%.1f" : "%.0f", value);
  }

  static double median(double... values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    int middle = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }

  private static double min(double... values) {
    return Arrays.stream(values).min().orElseThrow();
  }

  private static double max(double... values) {
    return Arrays.stream(values).max().orElseThrow();
  }
}
