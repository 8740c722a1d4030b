package dev.ocellus.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * One test of {@code bench}: the times of all its runs.
 *
 * @param test its name, as llama-bench has them: {@code pp512}, {@code tg128}
 * @param tokens tokens that each run computes
 * @param nanos duration of each run
 */
record Measurement(String test, int tokens, long[] nanos) {
  /** What is measured. */
  interface Work {
    void run() throws IOException;
  }

  /** Runs the work once to warm up, and then as often as wanted. */
  static Measurement of(String test, int tokens, int repetitions, Work warmUp, Work work)
      throws IOException {
    warmUp.run();
    long[] nanos = new long[repetitions];
    for (int i = 0; i < repetitions; i++) {
      long start = System.nanoTime();
      work.run();
      nanos[i] = System.nanoTime() - start;
    }
    return new Measurement(test, tokens, nanos);
  }

  double[] millis() {
    return Arrays.stream(nanos).mapToDouble(n -> n / 1e6).toArray();
  }

  double[] tokensPerSecond() {
    return Arrays.stream(nanos).mapToDouble(n -> tokens * 1e9 / n).toArray();
  }

  static double mean(double[] values) {
    return Arrays.stream(values).average().orElse(0);
  }

  /** Of a sample, as llama-bench has it; 0 for a single value. */
  static double deviation(double[] values) {
    if (values.length < 2) {
      return 0;
    }
    double mean = mean(values);
    double sum = Arrays.stream(values).map(v -> (v - mean) * (v - mean)).sum();
    return Math.sqrt(sum / (values.length - 1));
  }

  ObjectNode json() {
    ObjectNode json = Json.object();
    json.put("test", test);
    json.put("tokens", tokens);
    json.set("ms", statistics(millis()));
    json.set("tokens_per_second", statistics(tokensPerSecond()));
    return json;
  }

  private static ObjectNode statistics(double[] values) {
    ObjectNode json = Json.object();
    json.put("mean", Json.millis(mean(values)));
    json.put("stddev", Json.millis(deviation(values)));
    json.put("min", Json.millis(Arrays.stream(values).min().orElse(0)));
    json.put("max", Json.millis(Arrays.stream(values).max().orElse(0)));
    ArrayNode runs = json.putArray("runs");
    Arrays.stream(values).forEach(v -> runs.add(Json.millis(v)));
    return json;
  }

  /** A Markdown table, like llama-bench's. */
  static List<String> table(List<Measurement> measurements) {
    List<String> lines = new ArrayList<>();
    lines.add("| test             | tokens |                t/s |                 ms |");
    lines.add("| ---------------- | -----: | -----------------: | -----------------: |");
    for (Measurement m : measurements) {
      lines.add(
          String.format(
              Locale.ROOT,
              "| %-16s | %6d | %9.2f ± %6.2f | %9.2f ± %6.2f |",
              m.test,
              m.tokens,
              mean(m.tokensPerSecond()),
              deviation(m.tokensPerSecond()),
              mean(m.millis()),
              deviation(m.millis())));
    }
    return lines;
  }
}
