package dev.ocellus.tests.bench.suite;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Measures every row of docs/benchmarks.md beside llama.cpp's tools and writes its tables.
 *
 * <pre>
 * scripts/bench.sh all --peer DIR [--quick] [--rounds 5] [-t 2] [--only TEXT,…] [--inputs DIR]
 *     [--python PYTHON] [--out docs/benchmarks.md]
 * </pre>
 *
 * <p>{@code --peer} is the folder of {@code llama-bench}, {@code llama-mtmd-cli}, {@code
 * llama-quantize} and {@code llama-server}; {@code --python} one that has Pillow. {@code --quick}
 * leaves out the rows that take minutes and runs three rounds. {@code --only} measures the rows
 * whose name or group contains one of the texts, and writes nothing. Inputs, 2 GB, are kept.
 */
public final class Suite {
  private static final int ROUNDS = 5;
  private static final int QUICK_ROUNDS = 3;

  private Suite() {}

  /** See the class. The property {@code ocellus.root} is the folder of the program. */
  public static void main(String[] arguments) throws IOException, InterruptedException {
    List<String> words = new ArrayList<>(List.of(arguments));
    boolean quick = words.remove("--quick");
    Map<String, String> options = options(words);
    Path root = Path.of(System.getProperty("ocellus.root", "."));
    Path peer = Path.of(required(options, "--peer")).toAbsolutePath();
    int threads = Integer.parseInt(options.getOrDefault("-t", "2"));
    int rounds =
        Integer.parseInt(
            options.getOrDefault("--rounds", Integer.toString(quick ? QUICK_ROUNDS : ROUNDS)));
    List<String> only =
        Arrays.stream(options.getOrDefault("--only", "").split(",", -1))
            .filter(text -> !text.isEmpty())
            .toList();
    Inputs inputs =
        new Inputs(
            Path.of(options.getOrDefault("--inputs", root + "/tests/target/bench-inputs")), peer);
    Rows rows = new Rows(root, peer, inputs, threads, options.getOrDefault("--python", "python3"));
    List<Result> results = new ArrayList<>();
    for (Row row : rows.all()) {
      boolean wanted =
          only.isEmpty()
              ? !(quick && row.heavy())
              : only.stream().anyMatch(text -> (row.group() + " " + row.name()).contains(text));
      if (wanted) {
        Result result = Result.of(row, rounds);
        System.err.println(result.markdown());
        results.add(result);
      }
    }
    String text = Page.tables(Machine.describe(threads, rounds, peer), results);
    System.out.print(text);
    if (only.isEmpty()) {
      Page.replace(
          Path.of(options.getOrDefault("--out", root.resolve("docs/benchmarks.md").toString())),
          text);
    }
  }

  private static Map<String, String> options(List<String> words) {
    if (words.size() % 2 != 0) {
      throw new IllegalArgumentException(
          "every option but --quick takes a value; found " + String.join(" ", words));
    }
    Map<String, String> options = new HashMap<>();
    for (int i = 0; i < words.size(); i += 2) {
      options.put(words.get(i), words.get(i + 1));
    }
    return options;
  }

  private static String required(Map<String, String> options, String name) {
    String value = options.get(name);
    if (value == null) {
      throw new IllegalArgumentException("the option %s is missing".formatted(name));
    }
    return value;
  }
}
