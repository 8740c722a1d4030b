package dev.ocellus.tests.load;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** What a server takes of the machine, as Linux tells. */
final class ServerProcess {
  /** Clock ticks a second, in which Linux counts processor time. */
  private static final double TICKS = 100;

  private final Path folder;

  /**
   * @param pid its number; empty where it is not known
   */
  ServerProcess(String pid) {
    this.folder = Path.of("/proc", pid.isEmpty() ? "unknown" : pid);
  }

  /** MiB of memory; −1 where that is not known. */
  long residentMib() {
    try {
      return Files.readAllLines(folder.resolve("status")).stream()
          .filter(line -> line.startsWith("VmRSS"))
          .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) / 1024)
          .findFirst()
          .orElse(-1);
    } catch (IOException e) {
      return -1;
    }
  }

  /** Seconds of processor time since it began, of all its threads; NaN where that is not known. */
  double cpuSeconds() {
    try {
      String line = Files.readString(folder.resolve("stat"));
      // the name of the program, in brackets, may hold spaces
      List<String> fields = List.of(line.substring(line.lastIndexOf(')') + 2).split(" "));
      return (Long.parseLong(fields.get(11)) + Long.parseLong(fields.get(12))) / TICKS;
    } catch (IOException e) {
      return Double.NaN;
    }
  }
}
