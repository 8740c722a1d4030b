package dev.ocellus.tests.bench.suite;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A file of rows that have been measured, so that a suite that takes an hour can be run in parts:
 * group, name, the values of Ocellus and those of the other side, with tabs between.
 */
final class Kept {
  private static final int COLUMNS = 4;

  private final @Nullable Path file;
  private final Map<String, String[]> lines = new HashMap<>();

  /**
   * @param file may not exist yet; null for none
   * @throws IOException if it cannot be read, or holds something else
   */
  Kept(@Nullable Path file) throws IOException {
    this.file = file;
    if (file != null && Files.exists(file)) {
      for (String line : Files.readAllLines(file)) {
        String[] columns = line.split("\t", -1);
        if (columns.length != COLUMNS) {
          throw new IOException(
              "%s: expected %d columns with tabs between, found: %s"
                  .formatted(file, COLUMNS, line));
        }
        lines.put(columns[0] + '\t' + columns[1], columns);
      }
    }
  }

  /** What was measured of a row. */
  @Nullable Result find(Row row) {
    String[] columns = lines.get(key(row));
    return columns == null ? null : new Result(row, numbers(columns[2]), numbers(columns[3]), null);
  }

  /** Adds a row that could be measured. */
  void add(Result result) throws IOException {
    if (file != null && result.failure() == null) {
      String line =
          String.join("\t", key(result.row()), text(result.own()), text(result.peer())) + "\n";
      Files.writeString(file, line, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }
  }

  private static String key(Row row) {
    return row.group() + '\t' + row.name();
  }

  private static String text(double[] values) {
    return Arrays.stream(values).mapToObj(Double::toString).collect(Collectors.joining(" "));
  }

  private static double[] numbers(String text) {
    return Arrays.stream(text.split(" ")).mapToDouble(Double::parseDouble).toArray();
  }
}
