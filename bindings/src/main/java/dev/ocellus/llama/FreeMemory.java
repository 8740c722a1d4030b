package dev.ocellus.llama;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Memory that this process can still take before the kernel of Linux ends a process: the least of
 * what is available to the machine and to each of its control groups.
 *
 * @param bytes how much
 * @param source what sets this limit, for messages
 */
record FreeMemory(long bytes, String source) {
  /** Version 1 writes a number near 2^63 where there is no limit. */
  private static final long NO_LIMIT = 1L << 60;

  /** What is free now; empty where the system does not tell, as on other systems than Linux. */
  static Optional<FreeMemory> now() {
    return under(Path.of("/"));
  }

  /**
   * As {@link #now}, for other files than those of this machine.
   *
   * @param root where {@code proc} and {@code sys} are
   */
  static Optional<FreeMemory> under(Path root) {
    Optional<FreeMemory> smallest = machine(root);
    for (String line : lines(root.resolve("proc/self/cgroup"))) {
      String[] parts = line.split(":", 3);
      if (parts.length != 3) {
        continue;
      }
      Path groups = root.resolve("sys/fs/cgroup");
      if (parts[1].isEmpty()) {
        smallest = smallest(smallest, groups, parts[2], FreeMemory::ofGroup2);
      } else if (List.of(parts[1].split(",")).contains("memory")) {
        smallest = smallest(smallest, groups.resolve("memory"), parts[2], FreeMemory::ofGroup1);
      }
    }
    return smallest;
  }

  private static Optional<FreeMemory> machine(Path root) {
    List<String> lines = lines(root.resolve("proc/meminfo"));
    OptionalLong available = field(lines, "MemAvailable:");
    if (available.isEmpty()) {
      return Optional.empty();
    }
    long kibibytes = available.getAsLong() + field(lines, "SwapFree:").orElse(0);
    return Optional.of(new FreeMemory(kibibytes << 10, "of this machine"));
  }

  private interface Group {
    OptionalLong free(Path directory);
  }

  /** Every group up to the root has a limit of its own; what is not there is not limited. */
  private static Optional<FreeMemory> smallest(
      Optional<FreeMemory> smallest, Path mount, String path, Group group) {
    Path directory = mount.resolve(path.substring(Math.min(1, path.length()))).normalize();
    if (!directory.startsWith(mount) || !Files.isDirectory(directory)) {
      directory = mount; // a container sees its own group as the root
    }
    Optional<FreeMemory> result = smallest;
    for (Path d = directory; d != null && d.startsWith(mount); d = d.getParent()) {
      OptionalLong free = group.free(d);
      if (free.isPresent()
          && (result.isEmpty() || Math.max(0, free.getAsLong()) < result.get().bytes)) {
        result =
            Optional.of(
                new FreeMemory(Math.max(0, free.getAsLong()), "of this process's control group"));
      }
    }
    return result;
  }

  /** Pages of files, among them the mapped weights, make room when memory gets scarce. */
  private static OptionalLong ofGroup2(Path d) {
    OptionalLong max = number(d.resolve("memory.max"));
    OptionalLong used = number(d.resolve("memory.current"));
    if (max.isEmpty() || used.isEmpty()) {
      return OptionalLong.empty();
    }
    List<String> stat = lines(d.resolve("memory.stat"));
    long files = field(stat, "inactive_file").orElse(0) + field(stat, "active_file").orElse(0);
    return OptionalLong.of(max.getAsLong() - used.getAsLong() + files);
  }

  private static OptionalLong ofGroup1(Path d) {
    OptionalLong max = number(d.resolve("memory.limit_in_bytes"));
    OptionalLong used = number(d.resolve("memory.usage_in_bytes"));
    if (max.isEmpty() || used.isEmpty() || max.getAsLong() >= NO_LIMIT) {
      return OptionalLong.empty();
    }
    List<String> stat = lines(d.resolve("memory.stat"));
    long files =
        field(stat, "total_inactive_file").orElse(0) + field(stat, "total_active_file").orElse(0);
    return OptionalLong.of(max.getAsLong() - used.getAsLong() + files);
  }

  private static OptionalLong field(List<String> lines, String name) {
    for (String line : lines) {
      String[] words = line.split("\\s+");
      if (words.length >= 2 && words[0].equals(name)) {
        return parse(words[1]);
      }
    }
    return OptionalLong.empty();
  }

  private static OptionalLong number(Path file) {
    List<String> lines = lines(file);
    return lines.isEmpty() ? OptionalLong.empty() : parse(lines.getFirst().strip());
  }

  private static OptionalLong parse(String number) {
    try {
      return OptionalLong.of(Long.parseLong(number));
    } catch (NumberFormatException e) { // "max"
      return OptionalLong.empty();
    }
  }

  private static List<String> lines(Path file) {
    try {
      return Files.isReadable(file) ? Files.readAllLines(file) : List.of();
    } catch (IOException e) { // a file of the kernel that is not for us
      return List.of();
    }
  }
}
