package dev.ocellus.vlm.image.codec;

import dev.ocellus.vlm.image.ImageFormatException;

/**
 * Differences between neighbours, which TIFF's writers take before they compress: of whole samples
 * (predictor 2), or of the bytes of floats, the highest ones of a row first (predictor 3).
 */
final class TiffPredictor {
  private static final int HORIZONTAL = 2;
  private static final int FLOATING_POINT = 3;

  private TiffPredictor() {}

  static void undo(byte[] block, TiffLayout layout, boolean littleEndian) {
    int predictor = layout.predictor();
    if (predictor <= 1) {
      return;
    }
    int bytes = layout.bits() / 8;
    boolean whole = bytes * 8 == layout.bits() && Integer.bitCount(bytes) == 1;
    boolean known =
        predictor == HORIZONTAL && whole || predictor == FLOATING_POINT && whole && bytes >= 2;
    if (!known) {
      throw ImageFormatException.unsupported(
          "the TIFF file has predictor %d with %d bits per sample, which is not read"
              .formatted(predictor, layout.bits()));
    }
    for (int row = 0; row < block.length; row += layout.rowBytes()) {
      if (predictor == HORIZONTAL) {
        addNeighbours(block, row, layout.rowBytes(), layout.samplesPerBlock(), bytes, littleEndian);
      } else {
        addBytes(block, row, layout.rowBytes(), layout.samplesPerBlock());
        gather(block, row, layout.rowBytes(), bytes, littleEndian);
      }
    }
  }

  private static void addNeighbours(
      byte[] block, int row, int length, int samples, int bytes, boolean littleEndian) {
    int pixel = samples * bytes;
    for (int at = row + pixel; at + bytes <= row + length; at += bytes) {
      int carry = 0;
      for (int i = 0; i < bytes; i++) {
        int b = at + (littleEndian ? i : bytes - 1 - i);
        carry += (block[b] & 0xFF) + (block[b - pixel] & 0xFF);
        block[b] = (byte) carry;
        carry >>= 8;
      }
    }
  }

  private static void addBytes(byte[] block, int row, int length, int samples) {
    for (int at = row + samples; at < row + length; at++) {
      block[at] += block[at - samples];
    }
  }

  /** Puts together what stands in a row as first bytes, second bytes and so on. */
  private static void gather(byte[] block, int row, int length, int bytes, boolean littleEndian) {
    byte[] apart = new byte[length];
    System.arraycopy(block, row, apart, 0, length);
    int count = length / bytes;
    for (int i = 0; i < count; i++) {
      for (int b = 0; b < bytes; b++) {
        block[row + i * bytes + (littleEndian ? bytes - 1 - b : b)] = apart[b * count + i];
      }
    }
  }
}
