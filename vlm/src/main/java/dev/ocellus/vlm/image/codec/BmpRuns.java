package dev.ocellus.vlm.image.codec;

import dev.ocellus.vlm.image.ImageFormatException;
import dev.ocellus.vlm.image.ImageSize;
import java.nio.ByteBuffer;

/**
 * The run lengths of BMP files with 8 and 4 bits per pixel, read as <a
 * href="https://github.com/python-pillow/Pillow/blob/bb1d8e8ab8d29048624d96e3ee53cecf7c13d13d/src/PIL/BmpImagePlugin.py">
 * Pillow 12.3, BmpRleDecoder</a> reads them: runs end with their row, what is skipped has index 0,
 * and of an odd number of 4-bit pixels that stand for themselves the last one is passed over.
 */
final class BmpRuns {
  private static final int END_OF_ROW = 0;
  private static final int END = 1;
  private static final int SKIP = 2;

  private final ByteBuffer in;
  private final int width;
  private final byte[] out;
  private final boolean nibbles;
  private final boolean oddStart;
  private long at;
  private long x;
  private boolean ended;

  private BmpRuns(ByteBuffer in, ImageSize size, boolean nibbles, boolean oddStart) {
    this.in = in;
    this.width = size.width();
    this.out = new byte[(int) size.pixels()];
    this.nibbles = nibbles;
    this.oddStart = oddStart;
  }

  /**
   * The palette indices, one a byte, in the order of the file's rows.
   *
   * @param nibbles whether pixels have 4 bits
   * @param oddStart whether {@code in} begins at an odd place in the file
   */
  static byte[] decode(ByteBuffer in, ImageSize size, boolean nibbles, boolean oddStart) {
    BmpRuns runs = new BmpRuns(in, size, nibbles, oddStart);
    while (!runs.ended && runs.at < runs.out.length && in.remaining() >= 2) {
      runs.next(in.get() & 0xFF, in.get() & 0xFF);
    }
    if (!runs.ended && runs.at < runs.out.length) {
      throw ImageFormatException.truncated(
          "the BMP file has %d of its %d pixels".formatted(runs.at, runs.out.length));
    }
    return runs.out;
  }

  private void next(int count, int value) {
    if (count > 0) {
      repeat((int) Math.max(0, Math.min(count, width - x)), value);
      return;
    }
    switch (value) {
      case END_OF_ROW -> {
        at = (at + width - 1) / width * width;
        x = 0;
      }
      case END -> ended = true;
      case SKIP -> {
        if (in.remaining() >= 2) {
          at += (in.get() & 0xFF) + (long) (in.get() & 0xFF) * width;
          x = at % width;
        }
      }
      default -> literal(value);
    }
  }

  private void repeat(int count, int value) {
    for (int i = 0; i < count; i++) {
      put(!nibbles ? value : (i & 1) == 0 ? value >> 4 : value & 0xF);
    }
    x += count;
  }

  private void literal(int count) {
    int bytes = Math.min(nibbles ? count / 2 : count, in.remaining());
    for (int i = 0; i < bytes; i++) {
      int value = in.get() & 0xFF;
      if (nibbles) {
        put(value >> 4);
        put(value & 0xF);
      } else {
        put(value);
      }
    }
    x += count;
    boolean odd = (in.position() & 1) != 0 ^ oddStart;
    if (odd && in.hasRemaining()) {
      in.get();
    }
  }

  private void put(int value) {
    if (at < out.length) {
      out[(int) at] = (byte) value;
    }
    at++;
  }
}
