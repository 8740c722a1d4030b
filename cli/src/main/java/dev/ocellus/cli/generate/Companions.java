package dev.ocellus.cli.generate;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import picocli.CommandLine.ParameterException;

/**
 * The other file of a text-to-image model: 'ocellus convert' puts NAME-TYPE.gguf and
 * gen-NAME-TYPE.gguf beside each other, whose types may differ.
 */
final class Companions {
  private static final String PREFIX = "gen-";
  private static final String SUFFIX = ".gguf";

  private Companions() {}

  /** The VQ model and head beside a text model. */
  static Path generatorOf(GenerateCommand command, Path text) throws IOException {
    return only(
        text,
        PREFIX + stem(text),
        () ->
            command.usage(
                "%s is a text model; give the file with VQ model and head with --generator (ocellus convert names it gen-…)"
                    .formatted(text)));
  }

  /** The text model beside a VQ model with a head. */
  static Path textOf(GenerateCommand command, Path generator) throws IOException {
    String stem = stem(generator);
    return only(
        generator,
        stem.startsWith(PREFIX) ? stem.substring(PREFIX.length()) : stem,
        () ->
            command.usage(
                "%s draws what a text model tells it; give that with -m, and this with --generator"
                    .formatted(generator)));
  }

  private interface Failure {
    ParameterException get();
  }

  private static String stem(Path file) {
    String name = String.valueOf(file.getFileName());
    return name.endsWith(SUFFIX) ? name.substring(0, name.length() - SUFFIX.length()) : name;
  }

  /** The file of this name in the same folder, or the only one that differs in its type. */
  private static Path only(Path beside, String stem, Failure failure) throws IOException {
    Path exact = beside.resolveSibling(stem + SUFFIX);
    if (Files.isRegularFile(exact) && !exact.equals(beside)) {
      return exact;
    }
    String base = stem.contains("-") ? stem.substring(0, stem.lastIndexOf('-') + 1) : stem;
    Path folder = beside.toAbsolutePath().getParent();
    if (folder == null) {
      throw failure.get();
    }
    try (Stream<Path> files = Files.list(folder)) {
      List<Path> found =
          files
              .filter(f -> !f.equals(beside.toAbsolutePath()))
              .filter(f -> {
                String name = stem(f);
                return name.startsWith(base)
                    && name.substring(base.length()).matches("(?i)(f32|f16|bf16|q\\w+)");
              })
              .toList();
      if (found.size() != 1) {
        throw failure.get();
      }
      return found.getFirst();
    }
  }
}
