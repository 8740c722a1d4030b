package dev.ocellus.tests.bench.suite;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The part of a Markdown file that only the suite writes. */
final class Page {
  private static final String BEGIN = "<!-- written by scripts/bench.sh all: begin -->\n";
  private static final String END = "<!-- written by scripts/bench.sh all: end -->\n";

  private Page() {}

  /** The tables, one for each group, below a line about where they were measured. */
  static String tables(String about, List<Result> results) {
    Map<String, StringBuilder> groups = new LinkedHashMap<>();
    for (Result result : results) {
      groups
          .computeIfAbsent(
              result.row().group(),
              group ->
                  new StringBuilder("\n**" + group + "**\n\n")
                      .append("| test | Ocellus | llama.cpp or other | ratio | goal |\n")
                      .append("|---|---|---|---|---|\n"))
          .append(result.markdown())
          .append('\n');
    }
    return about + "\n" + String.join("", groups.values());
  }

  /**
   * Replaces what is between the marks.
   *
   * @throws IOException if the file has no marks
   */
  static void replace(Path file, String text) throws IOException {
    String page = Files.readString(file);
    int begin = page.indexOf(BEGIN);
    int end = page.indexOf(END);
    if (begin < 0 || end < begin) {
      throw new IOException(
          "%s has no lines %s and %s".formatted(file, BEGIN.strip(), END.strip()));
    }
    Files.writeString(file, page.substring(0, begin + BEGIN.length()) + text + page.substring(end));
  }
}
