package dev.ocellus.llama;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;

/** How many threads to compute with. */
public final class Threads {
  private static final Path CPUS = Path.of("/sys/devices/system/cpu");

  private Threads() {}

  /**
   * Cores that do not share their arithmetic units with another one, as far as this process may use
   * them. Hyper-threads only get in each other's way when multiplying matrices.
   */
  public static int physicalCores() {
    int allowed = Runtime.getRuntime().availableProcessors();
    Set<String> cores = new HashSet<>();
    try (DirectoryStream<Path> cpus = Files.newDirectoryStream(CPUS, "cpu[0-9]*")) {
      for (Path cpu : cpus) {
        Path siblings = cpu.resolve("topology/thread_siblings");
        if (Files.isReadable(siblings)) {
          cores.add(Files.readString(siblings).strip());
        }
      }
    } catch (IOException e) {
      return allowed; // no such file system here: the JVM's count is the best there is
    }
    return cores.isEmpty() ? allowed : Math.max(1, Math.min(allowed, cores.size()));
  }
}
