package dev.ocellus.nativelib;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.MessageDigest;
import java.util.HexFormat;

/**
 * A file beside unpacked libraries that says: their hashes were right when they had these sizes and
 * times. Comparing those costs a few microseconds a file; hashing costs tens of milliseconds.
 */
final class VerifiedMarker {
  private static final String NAME = "verified.txt";

  private VerifiedMarker() {}

  /** Whether every file is as it was when it was last hashed. Hashes nothing. */
  static boolean isIntact(Path directory, NativeManifest manifest) {
    try {
      return Files.readString(directory.resolve(NAME), StandardCharsets.ISO_8859_1)
          .equals(describe(directory, manifest));
    } catch (IOException e) {
      return false; // the marker or a library is missing
    }
  }

  static void write(Path directory, NativeManifest manifest) throws IOException {
    Files.writeString(
        directory.resolve(NAME), describe(directory, manifest), StandardCharsets.ISO_8859_1);
  }

  /** Whether the file's bytes are the manifest's, by hash. */
  static boolean hasContent(Path file, NativeManifest.Entry entry) throws IOException {
    if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS) || Files.size(file) != entry.size()) {
      return false;
    }
    MessageDigest sha256 = NativeManifest.newSha256();
    byte[] buffer = new byte[1 << 16];
    try (InputStream in = Files.newInputStream(file)) {
      for (int n; (n = in.read(buffer)) > 0; ) {
        sha256.update(buffer, 0, n);
      }
    }
    return HexFormat.of().formatHex(sha256.digest()).equals(entry.sha256());
  }

  private static String describe(Path directory, NativeManifest manifest) throws IOException {
    StringBuilder text = new StringBuilder(manifest.digest()).append('\n');
    for (NativeManifest.Entry entry : manifest.files()) {
      BasicFileAttributes file =
          Files.readAttributes(
              directory.resolve(entry.name()),
              BasicFileAttributes.class,
              LinkOption.NOFOLLOW_LINKS);
      boolean right = file.isRegularFile() && file.size() == entry.size();
      text.append(right ? file.size() : -1).append(' ');
      text.append(file.lastModifiedTime().toMillis()).append(' ').append(entry.name()).append('\n');
    }
    return text.toString();
  }
}
