package dev.ocellus.tests.fuzz;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.List;

/**
 * The parts of a saved session (docs/sessions.md), to be changed and put together again with the
 * right checksums.
 */
final class SessionParts {
  static final int INFO = 0;
  static final int MESSAGES = 1;
  static final int ENTRIES = 2;
  static final int IMAGES = 3;
  static final int STATE = 4;
  static final int CHECKPOINTS = 5;

  private static final int N_PARTS = 6;
  private static final int HASH = 32;

  /** Magic and version; hashes of model, template and kind of state. */
  private static final int FRONT = 12 + 3 * HASH;

  private static final int SIZE = FRONT + N_PARTS * (8 + HASH) + HASH;

  /** Magic, version and the three hashes. */
  final byte[] front;

  final List<byte[]> parts = new ArrayList<>();

  SessionParts(byte[] whole) {
    ByteBuffer in = little(whole);
    front = new byte[FRONT];
    in.get(front);
    int at = SIZE;
    for (int i = 0; i < N_PARTS; i++) {
      int length = (int) in.getLong(FRONT + i * (8 + HASH));
      byte[] part = new byte[length];
      in.get(at, part);
      parts.add(part);
      at += length;
    }
  }

  /** What tells models apart, for a session that may be damaged. */
  static String modelHash(byte[] whole) {
    StringBuilder hash = new StringBuilder();
    for (int i = 12; i < Math.min(whole.length, 12 + HASH); i++) {
      hash.append("%02x".formatted(whole[i]));
    }
    return hash.toString();
  }

  byte[] join() {
    int size = SIZE + parts.stream().mapToInt(p -> p.length).sum();
    ByteBuffer out = little(new byte[size]);
    out.put(front);
    for (byte[] part : parts) {
      out.putLong(part.length).put(sha256(part, part.length));
    }
    out.put(sha256(out.array(), out.position()));
    parts.forEach(out::put);
    return out.array();
  }

  static ByteBuffer little(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  static byte[] sha256(byte[] bytes, int length) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      digest.update(bytes, 0, length);
      return digest.digest();
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
