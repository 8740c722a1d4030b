package dev.ocellus.tests.fuzz;

import dev.ocellus.OcellusException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * The entry point of a coverage-guided fuzzer, which makes inputs up itself: Jazzer calls {@link
 * #fuzzerTestOneInput}. {@code scripts/fuzz-guided.sh} runs it.
 */
public final class Guided {
  /** Held here, as a logger that nobody holds is forgotten together with its level. */
  private static final Logger LOGGER = Logger.getLogger("dev.ocellus");

  private static final String TARGET = System.getProperty("ocellus.fuzz.target", "");
  private static final Target READER = target(TARGET);
  private static final Path FILE = file();

  private Guided() {}

  private static Target target(String name) {
    return Case.TARGETS.stream()
        .filter(t -> t.name().equals(name))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("no such target: \"" + name + "\""));
  }

  private static Path file() {
    LOGGER.setLevel(Level.OFF);
    try {
      Path folder = Files.createTempDirectory("ocellus-guided");
      Case.starts(List.of(), TARGET, folder); // what a target needs is opened with its files
      return folder.resolve("case." + TARGET);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Reads an input; any exception that no user should see is a finding. */
  public static void fuzzerTestOneInput(byte[] data) throws Exception {
    if (READER.readsFile()) {
      Files.write(FILE, data);
    }
    try {
      READER.run(data, FILE, Arrays.hashCode(data));
    } catch (OcellusException | IOException e) {
      if (e.getMessage() == null || e.getMessage().isBlank()) {
        throw new IllegalStateException("an error without a message", e);
      }
    }
  }

  /**
   * Writes files to start from: {@code FOLDER [FOLDER_WITH_MORE…]}, for the target that the system
   * property {@code ocellus.fuzz.target} names.
   */
  public static void main(String[] args) throws IOException {
    Path to = Files.createDirectories(Path.of(args[0]));
    List<Path> more = Arrays.stream(args).skip(1).map(Path::of).toList();
    Path work = Files.createTempDirectory("ocellus-seeds");
    int n = 0;
    for (Case.Start start : Case.starts(more, TARGET, work)) {
      for (Path base : start.bases()) {
        Files.write(to.resolve("seed-" + n++), Files.readAllBytes(base));
      }
    }
    System.out.println(n + " files to start from");
  }
}
