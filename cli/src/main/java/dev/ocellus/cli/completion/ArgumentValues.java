package dev.ocellus.cli.completion;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import picocli.CommandLine.Model.ArgSpec;

/**
 * What can stand for an argument, or for the value of an option.
 *
 * @param words fixed ones, in the order in which they are declared
 * @param files whether names of files or folders can
 */
record ArgumentValues(List<String> words, boolean files) {
  /**
   * Labels name placeholders in capitals, and words that are to be written as they are otherwise.
   */
  private static final Pattern WORD = Pattern.compile("[a-z0-9][a-z0-9_-]*");

  private static final Pattern FILE =
      Pattern.compile(".*\\b(?:FILE|DIR|IMAGE|PATH|MODEL|REFERENCE|PREFIX|FIRST|IN|OUT)\\b.*");

  ArgumentValues {
    words = List.copyOf(words);
  }

  static ArgumentValues of(ArgSpec argument) {
    Set<String> words = new LinkedHashSet<>();
    Iterable<String> declared = argument.completionCandidates();
    if (declared != null) {
      declared.forEach(words::add);
    }
    String label = argument.paramLabel();
    List<String> alternatives = List.of(label.split("\\|"));
    if (alternatives.size() > 1) {
      alternatives.stream().filter(word -> WORD.matcher(word).matches()).forEach(words::add);
    }
    return new ArgumentValues(new ArrayList<>(words), FILE.matcher(label).matches());
  }
}
