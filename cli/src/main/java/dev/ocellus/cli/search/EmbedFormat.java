package dev.ocellus.cli.search;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/** What {@code embed} can write. */
enum EmbedFormat {
  /** NumPy's float32, [vectors, dimension]. */
  npy("npy"),
  /** A JSON object a line. */
  jsonl("jsonl", "ndjson"),
  /** One JSON object. */
  json("json"),
  /** Comma-separated values (RFC 4180) with a line of names. */
  csv("csv");

  private final String[] endings;

  EmbedFormat(String... endings) {
    this.endings = endings;
  }

  /** By the end of a file's name, whatever its case. */
  static Optional<EmbedFormat> of(Path file) {
    String name = String.valueOf(file.getFileName()).toLowerCase(Locale.ROOT);
    return Arrays.stream(values())
        .filter(f -> Arrays.stream(f.endings).anyMatch(e -> name.endsWith("." + e)))
        .findFirst();
  }

  static String names() {
    return Arrays.stream(values()).map(Enum::name).collect(Collectors.joining(", "));
  }
}
