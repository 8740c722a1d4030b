import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The pinned jars that libraries of matrix products are taken from: {@code accelerators.lock}. */
final class AcceleratorLock {
  /**
   * One jar.
   *
   * @param coordinates {@code group:artifact:version:classifier}
   * @param files names, without their directories in the jar
   */
  record Jar(
      String library,
      String version,
      String platform,
      String coordinates,
      String sha256,
      List<String> files) {
    String fileName() {
      String[] parts = coordinates.split(":");
      return parts[1] + "-" + parts[2] + "-" + parts[3] + ".jar";
    }
  }

  private AcceleratorLock() {}

  static List<Jar> read(Path file) throws IOException {
    List<Jar> jars = new ArrayList<>();
    for (String line : Files.readAllLines(file)) {
      if (line.isBlank() || line.startsWith("#")) {
        continue;
      }
      List<String> words = List.of(line.split(" +"));
      if (words.size() < 6
          || words.get(3).split(":").length != 4
          || !words.get(4).matches("[0-9a-f]{64}")) {
        throw new Failure(file + ": cannot read the line \"" + line + "\"");
      }
      jars.add(
          new Jar(
              words.get(0),
              words.get(1),
              words.get(2),
              words.get(3),
              words.get(4),
              words.subList(5, words.size())));
    }
    return jars;
  }
}
