package dev.ocellus.vlm.text;

import java.util.Objects;

/**
 * Decodes UTF-8 that arrives in pieces, such as the bytes of tokens, whose borders need not be
 * those of characters.
 *
 * <p>Each call returns all text that is complete; the beginning of a character waits for the next
 * piece. Invalid bytes become U+FFFD, one for each longest beginning of a valid sequence (Unicode
 * 15, section 3.9, "U+FFFD substitution of maximal subparts"): what Python's {@code
 * errors="replace"}, Rust and browsers do. Java's own decoder differs from it only in giving one
 * U+FFFD instead of three for an encoded surrogate. A surrogate pair is never split between two
 * results, and how the bytes are cut never changes the text. Not safe for use by several threads.
 */
public final class Utf8Stream {
  private static final char REPLACEMENT = '\uFFFD';

  /** Continuation bytes that the open sequence still needs. */
  private int needed;

  /** The open sequence's code point so far. */
  private int codePoint;

  /** The range of the next continuation byte. */
  private int low = 0x80;

  private int high = 0xBF;

  /** A stream at the beginning of its text. */
  public Utf8Stream() {}

  /** Adds a piece. Returns the text that it completes, possibly empty. */
  public String accept(byte[] piece) {
    return accept(piece, 0, piece.length);
  }

  /** Adds {@code length} bytes from {@code offset} on. Returns the text that they complete. */
  public String accept(byte[] piece, int offset, int length) {
    Objects.checkFromIndexSize(offset, length, piece.length);
    StringBuilder text = new StringBuilder(length + 1);
    for (int i = offset; i < offset + length; i++) {
      add(piece[i] & 0xFF, text);
    }
    return text.toString();
  }

  /** Ends the text: returns U+FFFD if a character is incomplete. The stream can be used anew. */
  public String finish() {
    boolean open = needed > 0;
    reset();
    return open ? String.valueOf(REPLACEMENT) : "";
  }

  /** Whether the beginning of a character is waiting for its end. */
  public boolean isIncomplete() {
    return needed > 0;
  }

  /** Forgets an incomplete character. */
  public void reset() {
    needed = 0;
    low = 0x80;
    high = 0xBF;
  }

  private void add(int b, StringBuilder text) {
    if (needed > 0) {
      if (b >= low && b <= high) {
        low = 0x80;
        high = 0xBF;
        codePoint = codePoint << 6 | (b & 0x3F);
        if (--needed == 0) {
          text.appendCodePoint(codePoint);
        }
        return;
      }
      text.append(REPLACEMENT);
      reset(); // and take the byte as the beginning of a character
    }
    if (b < 0x80) {
      text.append((char) b);
    } else if (b >= 0xC2 && b <= 0xDF) {
      open(1, b & 0x1F);
    } else if (b >= 0xE0 && b <= 0xEF) {
      open(2, b & 0x0F);
      low = b == 0xE0 ? 0xA0 : 0x80; // no overlong forms
      high = b == 0xED ? 0x9F : 0xBF; // no surrogates
    } else if (b >= 0xF0 && b <= 0xF4) {
      open(3, b & 0x07);
      low = b == 0xF0 ? 0x90 : 0x80; // no overlong forms
      high = b == 0xF4 ? 0x8F : 0xBF; // nothing over U+10FFFF
    } else {
      text.append(REPLACEMENT);
    }
  }

  private void open(int continuations, int bits) {
    needed = continuations;
    codePoint = bits;
  }
}
