package dev.ocellus.vlm.tokenizer;

import java.nio.charset.StandardCharsets;

/**
 * A letter for each byte, as byte-level vocabularies write them: printable bytes of Latin-1 stand
 * for themselves, the others for the letters from U+0100 on, in their order ({@code
 * bytes_to_unicode} of GPT-2's encoder.py).
 */
final class ByteLetters {
  private static final char[] LETTERS = letters();

  private ByteLetters() {}

  private static char[] letters() {
    char[] letters = new char[256];
    char next = 256;
    for (int b = 0; b < 256; b++) {
      boolean printable = (b > ' ' && b < 0x7F) || (b > 0xA0 && b != 0xAD);
      letters[b] = printable ? (char) b : next++;
    }
    return letters;
  }

  /** A letter for each byte of the text in UTF-8. */
  static String of(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    StringBuilder out = new StringBuilder(bytes.length);
    for (byte b : bytes) {
      out.append(LETTERS[b & 0xFF]);
    }
    return out.toString();
  }
}
