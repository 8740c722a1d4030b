import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.MessageDigest;
import java.time.LocalDateTime;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

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

  /**
   * Writes a jar with the same bytes whenever and wherever it is written. It is a module of its own
   * on the module path, where two jars must not have the same name.
   */
  static void writeJar(Path directory, String prefix, String module, Path jar) throws IOException {
    List<Path> files;
    try (Stream<Path> walk = Files.walk(directory)) {
      files = walk.filter(Files::isRegularFile).sorted().toList();
    }
    Path fresh = jar.resolveSibling(jar.getFileName() + ".new");
    try (ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(fresh))) {
      add(
          out,
          "META-INF/MANIFEST.MF",
          new ByteArrayInputStream(
              "Manifest-Version: 1.0\r\nAutomatic-Module-Name: %s\r\n\r\n"
                  .formatted(module)
                  .getBytes(StandardCharsets.UTF_8)));
      for (Path file : files) {
        try (InputStream in = Files.newInputStream(file)) {
          add(out, prefix + directory.relativize(file).toString().replace('\\', '/'), in);
        }
      }
    }
    Files.move(fresh, jar, StandardCopyOption.REPLACE_EXISTING);
  }

  private static void add(ZipOutputStream out, String name, InputStream in) throws IOException {
    ZipEntry entry = new ZipEntry(name);
    entry.setTimeLocal(LocalDateTime.of(2026, 1, 1, 0, 0)); // the same in every time zone
    out.putNextEntry(entry);
    in.transferTo(out);
    out.closeEntry();
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
