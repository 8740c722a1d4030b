package dev.ocellus.server.api;

import java.security.SecureRandom;
import java.util.HexFormat;

/** Names of answers, which nobody can guess. */
public final class Ids {
  private static final SecureRandom RANDOM = new SecureRandom();

  private Ids() {}

  /** A new name, such as {@code chatcmpl-…}. */
  public static String next(String prefix) {
    byte[] bytes = new byte[12];
    RANDOM.nextBytes(bytes);
    return prefix + HexFormat.of().formatHex(bytes);
  }
}
