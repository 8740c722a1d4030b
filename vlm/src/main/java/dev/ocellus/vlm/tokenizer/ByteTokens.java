package dev.ocellus.vlm.tokenizer;

import java.util.Arrays;
import java.util.regex.Pattern;

/** SentencePiece's tokens of bytes, such as {@code <0x0A>}, which spell what has no token. */
final class ByteTokens {
  private static final Pattern NAME = Pattern.compile("<0x[0-9A-Fa-f]{2}>");

  private final int[] ids = new int[256];

  ByteTokens() {
    Arrays.fill(ids, -1);
  }

  static boolean isName(String token) {
    return NAME.matcher(token).matches();
  }

  /** Adds a token; of several of a byte the last one counts. {@link #isName} must be true. */
  void add(String token, int id) {
    ids[Byte.toUnsignedInt(value(token))] = id;
  }

  /** The byte of a token. {@link #isName} must be true. */
  static byte value(String token) {
    return (byte) Integer.parseInt(token.substring(3, 5), 16);
  }

  /** The token of a byte, or -1. */
  int id(byte value) {
    return ids[Byte.toUnsignedInt(value)];
  }
}
