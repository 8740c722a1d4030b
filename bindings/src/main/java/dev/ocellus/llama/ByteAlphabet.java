package dev.ocellus.llama;

/**
 * The characters that byte-level vocabularies write bytes as: printable ones of Latin-1 stand for
 * themselves, the others for characters from U+0100 on.
 *
 * <p>Source: {@code bytes_to_unicode} of GPT-2 and transformers.
 */
public final class ByteAlphabet {
  private static final char[] CHARACTERS = new char[256];

  static {
    char other = 0x100;
    for (int b = 0; b < 256; b++) {
      boolean itself = b >= '!' && b <= '~' || b >= 0xA1 && b <= 0xAC || b >= 0xAE;
      CHARACTERS[b] = itself ? (char) b : other++;
    }
  }

  private ByteAlphabet() {}

  /** The text that stands for bytes, one character for each. */
  public static String of(byte[] bytes) {
    StringBuilder text = new StringBuilder(bytes.length);
    for (byte b : bytes) {
      text.append(CHARACTERS[b & 0xFF]);
    }
    return text.toString();
  }
}
