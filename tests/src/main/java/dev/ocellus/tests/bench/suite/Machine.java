package dev.ocellus.tests.bench.suite;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Locale;

/** Where and with what was measured. */
final class Machine {
  private Machine() {}

  static String describe(int threads, int rounds, Path peer) throws IOException {
    return ("%s; %s, %d cores, %s %s; JDK %s; %d threads on both sides, %d alternating rounds, medians with the smallest and"
            + " largest. Load of the machine just before: %s. Ocellus with its bundled libraries; llama.cpp %s.")
        .formatted(
            LocalDate.now(ZoneOffset.UTC),
            processor(),
            Runtime.getRuntime().availableProcessors(),
            System.getProperty("os.name"),
            System.getProperty("os.version"),
            Runtime.version().feature(),
            threads,
            rounds,
            load(),
            build(peer));
  }

  /** How many threads wanted a processor in the last minute, on average. */
  private static String load() {
    double load = ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage();
    return load < 0 ? "unknown" : String.format(Locale.ROOT, "%.1f", load);
  }

  private static String processor() throws IOException {
    Path file = Path.of("/proc/cpuinfo");
    if (!Files.exists(file)) {
      return System.getProperty("os.arch");
    }
    try (var lines = Files.lines(file)) {
      return lines
          .filter(line -> line.startsWith("model name"))
          .map(line -> line.substring(line.indexOf(':') + 1).strip())
          .findFirst()
          .orElse(System.getProperty("os.arch"));
    }
  }

  /** What {@code llama-mtmd-cli} says about itself. */
  private static String build(Path peer) throws IOException {
    try {
      String text =
          Finished.run(List.of(peer.resolve("llama-mtmd-cli").toString(), "--version")).output();
      return text.lines()
          .filter(line -> line.startsWith("version") || line.startsWith("built"))
          .reduce((a, b) -> a + ", " + b)
          .orElse("of unknown version");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }
}
