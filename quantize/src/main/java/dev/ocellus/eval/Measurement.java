package dev.ocellus.eval;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * One test of a benchmark: the times of all its runs.
 *
 * @param test its name, as llama-bench has them: {@code pp512}, {@code tg128}
 * @param tokens tokens that each run computes
 * @param nanos duration of each run
 */
public record Measurement(String test, int tokens, List<Long> nanos) {
  public Measurement {
    nanos = List.copyOf(nanos);
  }

  /** What is measured. */
  public interface Work {
    void run() throws IOException;
  }

  /** Runs the work once to warm up, and then as often as wanted. */
  public static Measurement of(String test, int tokens, int repetitions, Work warmUp, Work work)
      throws IOException {
    warmUp.run();
    List<Long> nanos = new ArrayList<>();
    for (int i = 0; i < repetitions; i++) {
      long start = System.nanoTime();
      work.run();
      nanos.add(System.nanoTime() - start);
    }
    return new Measurement(test, tokens, nanos);
  }

  /** Milliseconds of every run. */
  public double[] millis() {
    return nanos.stream().mapToDouble(n -> n / 1e6).toArray();
  }

  /** Speed of every run. */
  public double[] tokensPerSecond() {
    return nanos.stream().mapToDouble(n -> tokens * 1e9 / n).toArray();
  }

  /** The mean; 0 of nothing. */
  public static double mean(double[] values) {
    return Arrays.stream(values).average().orElse(0);
  }

  /** Of a sample, as llama-bench has it; 0 for a single value. */
  public static double deviation(double[] values) {
    if (values.length < 2) {
      return 0;
    }
    double mean = mean(values);
    double sum = Arrays.stream(values).map(v -> (v - mean) * (v - mean)).sum();
    return Math.sqrt(sum / (values.length - 1));
  }

  /** Mean, standard deviation, minimum, maximum and all runs, in milliseconds and tokens/s. */
  public ObjectNode json() {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("test", test);
    json.put("tokens", tokens);
    json.set("ms", statistics(millis()));
    json.set("tokens_per_second", statistics(tokensPerSecond()));
    return json;
  }

  /** With the microseconds that a clock is good for. */
  private static double rounded(double value) {
    return Math.round(value * 1000) / 1000.0;
  }

  private static ObjectNode statistics(double[] values) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("mean", rounded(mean(values)));
    json.put("stddev", rounded(deviation(values)));
    json.put("min", rounded(Arrays.stream(values).min().orElse(0)));
    json.put("max", rounded(Arrays.stream(values).max().orElse(0)));
    ArrayNode runs = json.putArray("runs");
    Arrays.stream(values).forEach(v -> runs.add(rounded(v)));
    return json;
  }

  /** A Markdown table, like llama-bench's. */
  public static List<String> table(List<Measurement> measurements) {
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
