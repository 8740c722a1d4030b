package dev.ocellus.vlm.image.codec;

import dev.ocellus.vlm.image.ImageFormatException;
import java.util.Arrays;

/** A canonical prefix code of at most 15 bits (RFC 9649, section 3.7.2). */
final class Vp8lPrefixCode {
  private static final int MAX_LENGTH = 15;

  /** Codes up to this length are found in one step. */
  private static final int TABLE_BITS = 8;

  private static final int[] LENGTH_ORDER = {
    17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
  };
  private static final int REPEAT_LAST = 16;
  private static final int REPEAT_ZERO = 17;

  /** By the next bits: symbol times 16 plus its length; length 0 for codes that are longer. */
  private final int[] table;

  private final int tableBits;

  /** Symbols in the order of their codes; codes of length n begin at {@code firstIndex[n]}. */
  private final int[] sorted;

  private final int[] firstIndex = new int[MAX_LENGTH + 2];
  private final int[] firstCode = new int[MAX_LENGTH + 2];

  /** The only symbol, which takes no bits, or -1. */
  private final int single;

  private Vp8lPrefixCode(byte[] lengths) {
    int[] counts = new int[MAX_LENGTH + 1];
    int last = 0;
    int symbols = 0;
    for (int symbol = 0; symbol < lengths.length; symbol++) {
      if (lengths[symbol] > 0) {
        counts[lengths[symbol]]++;
        last = symbol;
        symbols++;
      }
    }
    single = symbols == 1 ? last : -1;
    sorted = new int[symbols];
    int longest = 0;
    int code = 0;
    int index = 0;
    for (int length = 1; length <= MAX_LENGTH; length++) {
      firstCode[length] = code;
      firstIndex[length] = index;
      code = (code + counts[length]) << 1;
      index += counts[length];
      longest = counts[length] > 0 ? length : longest;
    }
    firstIndex[MAX_LENGTH + 1] = index;
    if (single < 0 && code != 1 << (MAX_LENGTH + 1)) {
      throw ImageFormatException.corrupt("the WebP file has a prefix code with gaps or overlaps");
    }
    tableBits = single >= 0 ? 0 : Math.min(TABLE_BITS, longest);
    table = new int[1 << tableBits];
    int[] place = firstIndex.clone();
    for (int symbol = 0; symbol < lengths.length; symbol++) {
      int length = lengths[symbol];
      if (length > 0) {
        int at = place[length]++;
        sorted[at] = symbol;
        if (single < 0 && length <= tableBits) {
          fillTable(firstCode[length] + at - firstIndex[length], length, symbol);
        }
      }
    }
  }

  /** Codes come with their first bit lowest. */
  private void fillTable(int code, int length, int symbol) {
    int reversed = Integer.reverse(code) >>> (32 - length);
    for (int i = reversed; i < table.length; i += 1 << length) {
      table[i] = symbol << 4 | length;
    }
  }

  /** The next symbol. */
  int read(Vp8lBitReader reader) {
    if (single >= 0) {
      return single;
    }
    int bits = reader.peek();
    int entry = table[bits & (table.length - 1)];
    if (entry != 0) {
      reader.skip(entry & 15);
      return entry >> 4;
    }
    int code = Integer.reverse(bits) >>> (32 - tableBits);
    for (int length = tableBits + 1; length <= MAX_LENGTH; length++) {
      code = code << 1 | bits >>> (length - 1) & 1;
      int offset = code - firstCode[length];
      if (offset < firstIndex[length + 1] - firstIndex[length]) {
        reader.skip(length);
        return sorted[firstIndex[length] + offset];
      }
    }
    throw new IllegalStateException("a complete code has a symbol for any bits");
  }

  /** Reads a code for symbols 0 to {@code symbols - 1}. */
  static Vp8lPrefixCode read(Vp8lBitReader reader, int symbols) {
    byte[] lengths = new byte[symbols];
    if (reader.flag()) {
      boolean two = reader.flag();
      int first = reader.read(reader.flag() ? 8 : 1);
      setLength(lengths, first);
      if (two) {
        setLength(lengths, reader.read(8));
      }
    } else {
      readLengths(reader, lengths);
    }
    return new Vp8lPrefixCode(lengths);
  }

  private static void setLength(byte[] lengths, int symbol) {
    if (symbol >= lengths.length) {
      throw ImageFormatException.corrupt("the WebP file has a code for a symbol that is none");
    }
    lengths[symbol] = 1;
  }

  private static void readLengths(Vp8lBitReader reader, byte[] lengths) {
    byte[] lengthLengths = new byte[LENGTH_ORDER.length];
    int count = 4 + reader.read(4);
    for (int i = 0; i < count; i++) {
      lengthLengths[LENGTH_ORDER[i]] = (byte) reader.read(3);
    }
    Vp8lPrefixCode lengthCode = new Vp8lPrefixCode(lengthLengths);
    int tokens = lengths.length;
    if (reader.flag()) {
      tokens = 2 + reader.read(2 + 2 * reader.read(3));
    }
    byte last = 8;
    int symbol = 0;
    for (int i = 0; i < tokens && symbol < lengths.length; i++) {
      int token = lengthCode.read(reader);
      if (token < REPEAT_LAST) {
        lengths[symbol++] = (byte) token;
        last = token != 0 ? (byte) token : last;
        continue;
      }
      int repeats =
          switch (token) {
            case REPEAT_LAST -> 3 + reader.read(2);
            case REPEAT_ZERO -> 3 + reader.read(3);
            default -> 11 + reader.read(7);
          };
      if (repeats > lengths.length - symbol) {
        throw ImageFormatException.corrupt("the WebP file has a prefix code of too many symbols");
      }
      Arrays.fill(lengths, symbol, symbol + repeats, token == REPEAT_LAST ? last : (byte) 0);
      symbol += repeats;
    }
  }
}
