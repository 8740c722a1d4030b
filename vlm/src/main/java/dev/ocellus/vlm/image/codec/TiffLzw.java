package dev.ocellus.vlm.image.codec;

import dev.ocellus.vlm.image.ImageFormatException;

/**
 * The LZW code of TIFF: codes of 9 to 12 bits that grow one code earlier than they need to, highest
 * bit first. Files of 1990 and before have GIF's order of bits and grow in time.
 */
final class TiffLzw {
  private static final int CLEAR = 256;
  private static final int END = 257;
  private static final int FIRST = 258;
  private static final int MAX_BITS = 12;
  private static final int TABLE = 1 << MAX_BITS;

  // Entry i is the string that stands in the output at from[i] and is length[i] long.
  private final int[] from = new int[TABLE];
  private final int[] length = new int[TABLE];

  private byte[] in = {};
  private int end;
  private boolean old;
  private int at;
  private int bits;
  private int bitCount;

  /** Fills {@code out} from bytes {@code start} to {@code end} and returns how far it came. */
  int decode(byte[] bytes, int start, int endOfBytes, byte[] out) {
    in = bytes;
    at = start;
    end = endOfBytes;
    bits = 0;
    bitCount = 0;
    // The first code clears; only the old order has its low bits first.
    old = end - start >= 2 && in[start] == 0 && (in[start + 1] & 1) != 0;
    return decode(out);
  }

  private int decode(byte[] out) {
    int next = FIRST;
    int width = 9;
    int lastAt = -1;
    int lastLength = 0;
    int written = 0;
    while (written < out.length) {
      int code = read(width);
      if (code < 0 || code == END) {
        break;
      }
      if (code == CLEAR) {
        next = FIRST;
        width = 9;
        lastAt = -1;
        continue;
      }
      if (code > next || lastAt < 0 && code > END || code == next && next >= TABLE) {
        throw ImageFormatException.corrupt("the TIFF file has an LZW code that is not defined yet");
      }
      int codeLength = 1;
      if (code < CLEAR) {
        out[written] = (byte) code;
      } else {
        boolean isNew = code == next;
        int source = isNew ? lastAt : from[code];
        codeLength = isNew ? lastLength + 1 : length[code];
        for (int i = 0; i < Math.min(codeLength, out.length - written); i++) {
          out[written + i] = out[source + i];
        }
      }
      if (lastAt >= 0 && next < TABLE) {
        from[next] = lastAt;
        length[next] = lastLength + 1;
        next++;
        if (next == (1 << width) - (old ? 0 : 1) && width < MAX_BITS) {
          width++;
        }
      }
      lastAt = written;
      lastLength = codeLength;
      written += codeLength;
    }
    return Math.min(written, out.length);
  }

  /** The next code, or -1 at the end. */
  private int read(int width) {
    while (bitCount < width) {
      if (at >= end) {
        return -1;
      }
      int value = in[at++] & 0xFF;
      bits = old ? bits | value << bitCount : bits << 8 | value;
      bitCount += 8;
    }
    bitCount -= width;
    int code;
    if (old) {
      code = bits & ((1 << width) - 1);
      bits >>>= width;
    } else {
      code = bits >>> bitCount & ((1 << width) - 1);
      bits &= (1 << bitCount) - 1;
    }
    return code;
  }
}
