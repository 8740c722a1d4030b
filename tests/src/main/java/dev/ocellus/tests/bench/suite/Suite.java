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
 * scripts/bench.sh all --peer DIR [--quick] [--rounds 5] [-t 2] [--only TEXT,…] [--keep FILE
 *     [--kept]] [--inputs DIR] [--python PYTHON] [--note TEXT] [--out docs/benchmarks.md]
 * </pre>
 *
 * <p>{@code --peer} is the folder of {@code llama-bench}, {@code llama-mtmd-cli}, {@code
 * llama-quantize} and {@code llama-server}; {@code --python} one that has Pillow. {@code --quick}
 * leaves out the rows that take minutes and runs three rounds. {@code --only} measures the rows
 * whose name or group contains one of the texts, and writes nothing. {@code --keep} names a file of
 * rows that were measured before: they are not measured again, and new ones are added, so that the
 * suite can be run in parts; {@code --kept} writes the tables with the rows of that file alone.
 * {@code --note} is written beside the machine: what a reader has to know about how it was
 * measured. Inputs, 2 GB, are kept.
 */
public final class Suite {
  private static final int ROUNDS = 5;
  private static final int QUICK_ROUNDS = 3;

  private Suite() {}

  /** See the class. The property {@code ocellus.root} is the folder of the program. */
  public static void main(String[] arguments) throws IOException, InterruptedException {
    List<String> words = new ArrayList<>(List.of(arguments));
    boolean quick = words.remove("--quick");
    boolean keptOnly = words.remove("--kept");
    Map<String, String> options = options(words);
    Path root = Path.of(System.getProperty("ocellus.root", "."));
    Path peer = Path.of(required(options, "--peer")).toAbsolutePath();
    String threads = options.getOrDefault("-t", "2");
    int rounds =
        Integer.parseInt(
            options.getOrDefault("--rounds", Integer.toString(quick ? QUICK_ROUNDS : ROUNDS)));
    Path folder = Path.of(options.getOrDefault("--inputs", root + "/tests/target/bench-inputs"));
    String python = options.getOrDefault("--python", "python3");
    List<String> only = texts(options.getOrDefault("--only", ""));
    String file = options.get("--keep");
    Kept kept = new Kept(file == null ? null : Path.of(file));
    List<Row> rows =
        Rows.all(new Sides(root, peer, new Inputs(folder, peer), threads, python)).stream()
            .filter(row -> only.isEmpty() ? !(quick && row.heavy()) : row.isNamedBy(only))
            .filter(row -> !keptOnly || kept.find(row) != null)
            .toList();
    String about =
        (Machine.describe(Integer.parseInt(threads), rounds, peer)
                + " "
                + options.getOrDefault("--note", ""))
            .strip();
    String text = Page.tables(about, measured(rows, rounds, kept));
    System.out.print(text);
    if (only.isEmpty()) {
      Page.replace(
          Path.of(options.getOrDefault("--out", root.resolve("docs/benchmarks.md").toString())),
          text);
    }
  }

  private static List<Result> measured(List<Row> rows, int rounds, Kept kept)
      throws IOException, InterruptedException {
    List<Result> results = new ArrayList<>();
    for (Row row : rows) {
      Result result = kept.find(row);
      if (result == null) {
        result = Result.of(row, rounds);
        kept.add(result);
        System.err.println(result.markdown());
      }
      results.add(result);
    }
    return results;
  }

  private static List<String> texts(String commas) {
    return Arrays.stream(commas.split(",", -1)).filter(text -> !text.isEmpty()).toList();
  }

  private static Map<String, String> options(List<String> words) {
    if (words.size() % 2 != 0) {
      throw new IllegalArgumentException(
          "every option but --quick and --kept takes a value; found " + String.join(" ", words));
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
