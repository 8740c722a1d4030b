import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * A folder as one file: for Windows a zip, else a tar (POSIX ustar) with gzip, which keeps links and
 * who may run what. Names are sorted, owners are nobody's, so equal folders make equal files.
 */
final class Archive {
  private static final int BLOCK = 512;

  private Archive() {}

  /**
   * Writes the archive.
   *
   * @param folder what goes into it, under its own name
   */
  static void write(Path folder, Path file) throws IOException {
    List<Path> all;
    try (Stream<Path> walk = Files.walk(folder)) {
      all = walk.sorted().toList();
    }
    Path parent = folder.toAbsolutePath().getParent();
    if (file.toString().endsWith(".zip")) {
      zip(all, parent, file);
    } else {
      tar(all, parent, file);
    }
  }

  private static void zip(List<Path> all, Path parent, Path file) throws IOException {
    try (ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(file))) {
      for (Path path : all) {
        if (Files.isRegularFile(path)) {
          ZipEntry entry = new ZipEntry(name(path, parent));
          entry.setLastModifiedTime(Files.getLastModifiedTime(path));
          out.putNextEntry(entry);
          Files.copy(path, out);
          out.closeEntry();
        }
      }
    }
  }

  private static void tar(List<Path> all, Path parent, Path file) throws IOException {
    try (OutputStream out =
        new BufferedOutputStream(new GZIPOutputStream(Files.newOutputStream(file)), 1 << 16)) {
      for (Path path : all) {
        entry(path, name(path, parent), out);
      }
      out.write(new byte[2 * BLOCK]);
    }
  }

  private static String name(Path path, Path parent) {
    return parent.relativize(path.toAbsolutePath()).toString().replace('\\', '/');
  }

  private static void entry(Path path, String name, OutputStream out) throws IOException {
    boolean link = Files.isSymbolicLink(path);
    boolean directory = !link && Files.isDirectory(path);
    long size = link || directory ? 0 : Files.size(path);
    byte[] header = new byte[BLOCK];
    String full = directory ? name + "/" : name;
    // what does not fit into the name goes before it, cut at a slash
    int cut = full.length() <= 100 ? -1 : full.indexOf('/', full.length() - 101);
    text(header, 0, 100, cut < 0 ? full : full.substring(cut + 1), name);
    text(header, 345, 155, cut < 0 ? "" : full.substring(0, cut), name);
    octal(header, 100, 8, directory || Files.isExecutable(path) ? 0755 : 0644);
    octal(header, 108, 8, 0);
    octal(header, 116, 8, 0);
    octal(header, 124, 12, size);
    octal(
        header,
        136,
        12,
        Files.getLastModifiedTime(path, LinkOption.NOFOLLOW_LINKS).toMillis() / 1000);
    header[156] = (byte) (link ? '2' : directory ? '5' : '0');
    text(header, 157, 100, link ? Files.readSymbolicLink(path).toString() : "", name);
    text(header, 257, 8, "ustar\00000", name);
    Arrays.fill(header, 148, 156, (byte) ' ');
    int sum = 0;
    for (byte b : header) {
      sum += b & 0xff;
    }
    octal(header, 148, 7, sum);
    out.write(header);
    if (size > 0) {
      Files.copy(path, out);
      out.write(new byte[(int) ((BLOCK - size % BLOCK) % BLOCK)]);
    }
  }

  private static void text(byte[] header, int offset, int length, String text, String of)
      throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    if (bytes.length > length) {
      throw new IOException("the name does not fit into a tar archive: " + of);
    }
    System.arraycopy(bytes, 0, header, offset, bytes.length);
  }

  private static void octal(byte[] header, int offset, int length, long value) {
    byte[] digits = Long.toOctalString(value).getBytes(StandardCharsets.US_ASCII);
    Arrays.fill(header, offset, offset + length - 1, (byte) '0');
    System.arraycopy(digits, 0, header, offset + length - 1 - digits.length, digits.length);
  }
}
