package dev.ocellus.cli;

import dev.ocellus.cli.log.StderrLoggerFinder;
import dev.ocellus.ggml.Ggml;
import java.util.List;
import java.util.Set;

/**
 * Begins to load the native libraries while the command line is read and classes are loaded, for
 * commands that need them in any case. The command itself waits for them, and is told what is wrong
 * with them.
 */
final class EarlyLibraries {
  private static final Set<String> COMMANDS =
      Set.of(
          "chat",
          "describe",
          "encode",
          "embed",
          "classify",
          "perplexity",
          "bench",
          "devices",
          "serve");

  /** With these they are not needed, or what is logged meanwhile is wanted. */
  private static final Set<String> WITHOUT =
      Set.of("-h", "--help", "-V", "--version", "-v", "--verbose");

  private EarlyLibraries() {}

  static void begin(List<String> arguments) {
    if (arguments.isEmpty()
        || !COMMANDS.contains(arguments.getFirst())
        || arguments.stream().anyMatch(WITHOUT::contains)) {
      return;
    }
    if (arguments.contains("-q") || arguments.contains("--quiet")) {
      StderrLoggerFinder.configure(System.err, false, true);
    }
    Thread thread = new Thread(EarlyLibraries::load, "ocellus-early");
    thread.setDaemon(true);
    thread.start();
  }

  private static void load() {
    try {
      Ggml.initialize();
    } catch (RuntimeException | Error e) {
      return; // the command gets the same
    }
  }
}
