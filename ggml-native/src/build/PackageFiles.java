import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.util.List;
import java.util.Map;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;

/** Directories of libraries with a manifest, and jars of them. */
final class PackageFiles {
  static final String MANIFEST = "manifest.txt";

  private PackageFiles() {}

  /** True when the manifest has this head and every file has the size and hash it states. */
  static boolean upToDate(Path directory, String head) throws IOException {
    Path manifest = directory.resolve(MANIFEST);
    if (!Files.isRegularFile(manifest)) {
      return false;
    }
    String text = Files.readString(manifest);
    if (!text.startsWith(head)) {
      return false;
    }
    List<String> lines = text.substring(head.length()).lines().toList();
    for (String line : lines) {
      String[] words = line.split(" ", 4);
      Path file = directory.resolve(words[3]);
      if (!Files.isRegularFile(file)
          || Files.size(file) != Long.parseLong(words[2])
          || !Digests.hex(Digests.digest(file, "SHA-256")).equals(words[1])) {
        return false;
      }
    }
    return !lines.isEmpty();
  }

  /**
   * Streams the next {@code size} bytes to a file, and notes its hash and size for the manifest.
   *
   * @param size Long.MAX_VALUE for all that there are
   */
  static void store(
      InputStream in, long size, String file, Path directory, Map<String, String> files)
      throws IOException {
    Path target = directory.resolve(file);
    Files.createDirectories(target.getParent());
    MessageDigest sha256 = Digests.digest("SHA-256");
    byte[] buffer = new byte[1 << 16];
    long stored = 0;
    try (OutputStream out = Files.newOutputStream(target)) {
      for (long left = size; left > 0; ) {
        int n = in.read(buffer, 0, (int) Math.min(left, buffer.length));
        if (n < 0 && size == Long.MAX_VALUE) {
          break;
        }
        if (n < 0) {
          throw new EOFException("the package ends inside " + file);
        }
        sha256.update(buffer, 0, n);
        out.write(buffer, 0, n);
        left -= n;
        stored += n;
      }
    }
    files.put(file, Digests.hex(sha256.digest()) + " " + stored);
  }

  /**
   * To be done last: a directory without it is a fetch that was interrupted, and is fetched again.
   */
  static void writeManifest(Path directory, String head, Map<String, String> files)
      throws IOException {
    StringBuilder manifest = new StringBuilder(head);
    files.forEach((file, entry) ->
        manifest.append("file ").append(entry).append(' ').append(file).append('\n'));
    Files.writeString(directory.resolve(MANIFEST), manifest);
  }

  static boolean isNewer(Path file, Path than) throws IOException {
    return Files.exists(file)
        && Files.getLastModifiedTime(file).compareTo(Files.getLastModifiedTime(than)) > 0;
  }

  static void writeJar(Path directory, String prefix, Path jar) throws IOException {
    List<Path> files;
    try (Stream<Path> walk = Files.walk(directory)) {
      files = walk.filter(Files::isRegularFile).sorted().toList();
    }
    try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar))) {
      for (Path file : files) {
        String name = directory.relativize(file).toString().replace('\\', '/');
        JarEntry entry = new JarEntry(prefix + name);
        entry.setLastModifiedTime(
            FileTime.fromMillis(1767225600000L)); // 2026-01-01, for equal bytes
        out.putNextEntry(entry);
        Files.copy(file, out);
        out.closeEntry();
      }
    }
  }

  static void deleteTree(Path root) throws IOException {
    if (!Files.exists(root)) {
      return;
    }
    Files.walkFileTree(
        root,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.delete(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path directory, IOException e)
              throws IOException {
            Files.delete(directory);
            return FileVisitResult.CONTINUE;
          }
        });
  }
}
