package dev.ocellus.spark;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;

/**
 * SHA-256 of files and of models. Of its own, as it works where classes for Java 22 do not load.
 */
final class FileHashes {
  private static final int BUFFER = 1 << 20;
  private static final int HEX_LENGTH = 64;

  private FileHashes() {}

  static String of(Path file) throws IOException {
    MessageDigest digest = digest();
    ByteBuffer buffer = ByteBuffer.allocate(BUFFER);
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      while (channel.read(buffer.clear()) >= 0) {
        digest.update(buffer.flip());
      }
    }
    return hex(digest.digest());
  }

  static String of(String text) {
    return hex(sha256(text.getBytes(StandardCharsets.UTF_8)));
  }

  static String hex(byte[] hash) {
    return HexFormat.of().formatHex(hash);
  }

  static byte[] sha256(byte[] bytes) {
    return digest().digest(bytes);
  }

  /** One file's own hash, so that {@code sha256sum} gives the same. */
  static String ofModel(List<String> files) {
    return files.size() == 1 ? files.get(0) : of(String.join(" ", files));
  }

  static String requireSha256(String hash) {
    String lower = hash.strip().toLowerCase(Locale.ROOT);
    if (lower.length() != HEX_LENGTH || !lower.matches("[0-9a-f]+")) {
      throw new IllegalArgumentException(
          "SHA-256: expected %d hexadecimal digits, found '%s'".formatted(HEX_LENGTH, hash));
    }
    return lower;
  }

  private static MessageDigest digest() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
