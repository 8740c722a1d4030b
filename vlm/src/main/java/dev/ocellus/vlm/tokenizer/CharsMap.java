package dev.ocellus.vlm.tokenizer;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * What a SentencePiece model makes of characters before it cuts a text: a trie of byte sequences,
 * each with what stands for it.
 *
 * <p>Layout of {@code precompiled_charsmap}: bytes of the trie as a little-endian u32, the trie as
 * a double array of u32 units, and the replacements, each ended by a zero: <a
 * href="https://github.com/google/sentencepiece/blob/v0.2.0/src/normalizer.cc">normalizer.cc</a>;
 * units as in <a
 * href="https://github.com/s-yata/darts-clone/blob/master/include/darts.h">darts.h</a>.
 */
final class CharsMap {
  private static final int LABEL = 0x8000_00FF;

  private final int[] units;
  private final byte[] replacements;

  private CharsMap(int[] units, byte[] replacements) {
    this.units = units;
    this.replacements = replacements;
  }

  /**
   * @param data the map; empty for one that changes nothing
   * @throws TokenizerFormatException if it is damaged
   */
  static CharsMap of(byte[] data) {
    if (data.length == 0) {
      return new CharsMap(new int[0], data);
    }
    ByteBuffer in = ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN);
    int size = data.length < 4 ? -1 : in.getInt();
    if (size < 4 || size % 4 != 0 || size > in.remaining()) {
      throw new TokenizerFormatException(
          "precompiled_charsmap", "a trie of at most %d bytes".formatted(data.length), "" + size);
    }
    int[] units = new int[size / 4];
    in.asIntBuffer().get(units);
    return new CharsMap(units, Arrays.copyOfRange(data, 4 + size, data.length));
  }

  /** What comes first in a text, and what stands for it. */
  record Prefix(int length, String replacement) {}

  /** The longest sequence that the map knows at a place, else the character there. */
  Prefix at(byte[] text, int from) {
    int length = 0;
    int value = -1;
    int node = units.length == 0 ? 0 : offset(unit(0));
    for (int i = from; i < text.length && units.length > 0; i++) {
      int letter = text[i] & 0xFF;
      node ^= letter;
      int unit = unit(node);
      if ((unit & LABEL) != letter) {
        break;
      }
      node ^= offset(unit);
      if ((unit >>> 8 & 1) == 1) {
        length = i + 1 - from;
        value = unit(node) & 0x7FFF_FFFF;
      }
    }
    return length == 0 ? character(text, from) : new Prefix(length, replacement(value));
  }

  private static Prefix character(byte[] text, int from) {
    int first = text[from] & 0xFF;
    int length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    return new Prefix(length, new String(text, from, length, StandardCharsets.UTF_8));
  }

  private int unit(int index) {
    if (index < 0 || index >= units.length) {
      throw new TokenizerFormatException(
          "precompiled_charsmap", "nodes below " + units.length, "node " + index);
    }
    return units[index];
  }

  private static int offset(int unit) {
    return unit >>> 10 << ((unit & 1 << 9) >>> 6);
  }

  private String replacement(int from) {
    int end = from;
    while (end < replacements.length && replacements[end] != 0) {
      end++;
    }
    if (end >= replacements.length) {
      throw new TokenizerFormatException(
          "precompiled_charsmap",
          "replacements within %d bytes".formatted(replacements.length),
          "one at " + from);
    }
    return new String(replacements, from, end - from, StandardCharsets.UTF_8);
  }
}
