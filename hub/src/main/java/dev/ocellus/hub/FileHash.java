package dev.ocellus.hub;

import dev.ocellus.io.Sha256;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * What a file's bytes must give: a SHA-256, or the SHA-1 that git gives a file, as the hub names
 * those that it keeps in git itself.
 *
 * @param hex lower-case
 */
record FileHash(String hex) {
  private static final Pattern HEX = Pattern.compile("[0-9a-f]{40}|[0-9a-f]{64}");
  private static final int SHA256_LENGTH = 64;
  private static final int BUFFER = 1 << 20;

  FileHash {
    if (!isHash(hex)) {
      throw new IllegalArgumentException("no hash: " + hex);
    }
  }

  static boolean isHash(String text) {
    return HEX.matcher(text).matches();
  }

  /** What to call it in a message. */
  String algorithm() {
    return hex.length() == SHA256_LENGTH ? "SHA-256" : "git SHA-1";
  }

  /** A digest for a file of this size, to which its bytes are added in order. */
  MessageDigest digest(long size) {
    if (hex.length() == SHA256_LENGTH) {
      return Sha256.digest();
    }
    MessageDigest digest = sha1();
    digest.update(("blob " + size + "\0").getBytes(StandardCharsets.UTF_8));
    return digest;
  }

  /** Whether a digest has come to it; the digest is empty afterwards. */
  boolean matches(MessageDigest digest) {
    return hex.equals(HexFormat.of().formatHex(digest.digest()).toLowerCase(Locale.ROOT));
  }

  /** Whether a file has it. */
  boolean matches(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      MessageDigest digest = digest(channel.size());
      ByteBuffer buffer = ByteBuffer.allocate(BUFFER);
      while (channel.read(buffer.clear()) >= 0) {
        digest.update(buffer.flip());
      }
      return matches(digest);
    }
  }

  private static MessageDigest sha1() {
    try {
      return MessageDigest.getInstance("SHA-1"); // git's names, not ours to choose
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-1", e);
    }
  }
}
