package dev.ocellus.vlm.image.codec;

import dev.ocellus.vlm.image.ImageFormatException;
import java.nio.ByteBuffer;

/** The variable-length LZW code of GIF. */
final class GifLzw {
  private static final int MAX_BITS = 12;
  private static final int TABLE = 1 << MAX_BITS;

  private final ByteBuffer file;
  private int blockLeft;
  private boolean ended;
  private int bits;
  private int bitCount;

  private GifLzw(ByteBuffer file) {
    this.file = file;
  }

  /**
   * Decodes {@code count} palette indices, and leaves the buffer after the block of length 0 that
   * ends the data. What exceeds {@code count} is ignored.
   */
  static byte[] decode(ByteBuffer file, int count) {
    int minimumBits = file.get() & 0xFF;
    // More than 8 bits make no sense for bytes, but there are such files: codes are cut to bytes.
    if (minimumBits > MAX_BITS) {
      throw ImageFormatException.corrupt(
          "the GIF file has LZW codes of at least %d bits; %d is the most"
              .formatted(minimumBits, MAX_BITS));
    }
    GifLzw lzw = new GifLzw(file);
    byte[] out = new byte[count];
    int written = lzw.decode(out, minimumBits);
    if (written < count) {
      throw ImageFormatException.truncated(
          "a frame of the GIF file has %d of its %d pixels".formatted(written, count));
    }
    lzw.skipRest();
    return out;
  }

  private int decode(byte[] out, int minimumBits) {
    int clear = 1 << minimumBits;
    // Entry i is the string that stands in the output at start[i] and is length[i] long: the
    // string of the code before it and one byte more.
    int[] start = new int[TABLE];
    int[] length = new int[TABLE];
    int next = clear + 2;
    int width = minimumBits + 1;
    int lastStart = -1;
    int lastLength = 0;
    int at = 0;
    while (at < out.length) {
      int code = read(width);
      if (code < 0 || code == clear + 1) {
        break;
      }
      if (code == clear) {
        next = clear + 2;
        width = minimumBits + 1;
        lastStart = -1;
        continue;
      }
      if (code > next || code == next && lastStart < 0 || code > clear && lastStart < 0) {
        throw ImageFormatException.corrupt("the GIF file has an LZW code that is not defined yet");
      }
      int codeLength;
      if (code < clear) {
        out[at] = (byte) code;
        codeLength = 1;
      } else {
        // The string of the code that is being defined continues into what is written now.
        boolean isNew = code == next;
        int from = isNew ? lastStart : start[code];
        codeLength = isNew ? lastLength + 1 : length[code];
        int n = Math.min(codeLength, out.length - at);
        for (int i = 0; i < n; i++) {
          out[at + i] = out[from + i];
        }
      }
      if (lastStart >= 0 && next < TABLE) {
        start[next] = lastStart;
        length[next] = lastLength + 1;
        next++;
        if (next == 1 << width && width < MAX_BITS) {
          width++;
        }
      }
      lastStart = at;
      lastLength = codeLength;
      at += codeLength;
    }
    return Math.min(at, out.length);
  }

  /** The next code, or -1 after the last block. */
  private int read(int width) {
    while (bitCount < width) {
      if (blockLeft == 0) {
        blockLeft = ended ? 0 : file.get() & 0xFF;
        ended |= blockLeft == 0;
        if (ended) {
          return -1;
        }
      }
      bits |= (file.get() & 0xFF) << bitCount;
      bitCount += 8;
      blockLeft--;
    }
    int code = bits & ((1 << width) - 1);
    bits >>>= width;
    bitCount -= width;
    return code;
  }

  /** Passes over what follows the last pixel; the file may end there. */
  private void skipRest() {
    while (!ended) {
      file.position(file.position() + Math.min(blockLeft, file.remaining()));
      blockLeft = file.hasRemaining() ? file.get() & 0xFF : 0;
      ended = blockLeft == 0;
    }
  }
}
