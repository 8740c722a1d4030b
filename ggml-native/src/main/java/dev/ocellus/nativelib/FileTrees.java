package dev.ocellus.nativelib;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** Operations on directories with all that they hold. */
final class FileTrees {
  private FileTrees() {}

  /** Deletes what can be deleted: Windows keeps a loaded DLL, and that must not stop anything. */
  static void deleteQuietly(Path root) {
    List<Path> paths;
    try (Stream<Path> walk = Files.walk(root)) {
      paths = walk.sorted(Comparator.reverseOrder()).toList();
    } catch (IOException e) {
      return; // nothing there
    }
    for (Path path : paths) {
      try {
        Files.deleteIfExists(path);
      } catch (IOException e) {
        System.getLogger("dev.ocellus.nativelib")
            .log(System.Logger.Level.DEBUG, "cannot delete " + path, e);
      }
    }
  }
}
