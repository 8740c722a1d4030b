package dev.ocellus.convert.cache;

import dev.ocellus.io.AtomicFile;
import dev.ocellus.io.Sha256;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which files of a kept checkpoint are complete: a line {@code NAME SIZE MILLIS SHA-256} for each,
 * or {@code NAME none} for one that the checkpoint has not. A file with another time is hashed; one
 * with another size or hash does not count.
 */
final class CompleteMarker {
  private static final String FILE = "complete";
  private static final Pattern LINE =
      Pattern.compile("([\\w.]+) (?:none|(\\d{1,18}) (\\d{1,18}) ([0-9a-f]{64}))");

  /** Of a file; a size of -1 where there is none. */
  private record Entry(long size, long modified, String hash) {
    static final Entry NONE = new Entry(-1, 0, "");

    String line(String name) {
      return size < 0 ? name + " none\n" : "%s %d %d %s%n".formatted(name, size, modified, hash);
    }
  }

  private final Path directory;
  private final Map<String, Entry> entries;

  private CompleteMarker(Path directory, Map<String, Entry> entries) {
    this.directory = directory;
    this.entries = entries;
  }

  /** The marker of a folder, with the files that are as it says; empty where there is none. */
  static CompleteMarker read(Path directory) throws IOException {
    Map<String, Entry> good = new TreeMap<>();
    Path file = directory.resolve(FILE);
    if (Files.isRegularFile(file)) {
      String text = new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
      for (String line : text.lines().toList()) {
        Matcher m = LINE.matcher(line);
        if (m.matches()) {
          Entry entry =
              m.group(2) == null
                  ? Entry.NONE
                  : new Entry(Long.parseLong(m.group(2)), Long.parseLong(m.group(3)), m.group(4));
          if (isTrue(entry, directory.resolve(m.group(1)))) {
            good.put(m.group(1), entry);
          }
        }
      }
    }
    return new CompleteMarker(directory, good);
  }

  private static boolean isTrue(Entry entry, Path file) throws IOException {
    if (entry.size() < 0) {
      return !Files.exists(file);
    }
    return Files.isRegularFile(file)
        && Files.size(file) == entry.size()
        && (modified(file) == entry.modified() || hash(file).equals(entry.hash()));
  }

  /** Whether a file is there as it was written, or known not to exist. */
  boolean knows(Path file) {
    return entries.containsKey(String.valueOf(file.getFileName()));
  }

  /** With a file that has just been written, or was found not to belong to the checkpoint. */
  CompleteMarker with(Path file) throws IOException {
    Map<String, Entry> more = new TreeMap<>(entries);
    more.put(
        String.valueOf(file.getFileName()),
        Files.exists(file) ? new Entry(Files.size(file), modified(file), hash(file)) : Entry.NONE);
    return new CompleteMarker(directory, more);
  }

  /** Writes the marker, if it is not the one that is there. */
  void write() throws IOException {
    StringBuilder lines = new StringBuilder();
    entries.forEach((name, entry) -> lines.append(entry.line(name)));
    byte[] text = lines.toString().getBytes(StandardCharsets.ISO_8859_1);
    Path file = directory.resolve(FILE);
    if (!Files.isRegularFile(file) || !Arrays.equals(Files.readAllBytes(file), text)) {
      AtomicFile.write(file, text);
    }
  }

  /** When a file was written, in milliseconds. */
  static long modified(Path file) throws IOException {
    return Files.getLastModifiedTime(file).toMillis();
  }

  private static String hash(Path file) throws IOException {
    MessageDigest digest = Sha256.digest();
    byte[] buffer = new byte[1 << 16];
    try (InputStream in = Files.newInputStream(file)) {
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        digest.update(buffer, 0, n);
      }
    }
    return Sha256.hex(digest);
  }
}
