package dev.ocellus.vlm.image.codec;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Samples of any number of bits as integers; floats as the bits that Java has for them. */
final class TiffSamples {
  private final TiffLayout layout;
  private final ByteOrder order;

  TiffSamples(TiffLayout layout, boolean littleEndian) {
    this.layout = layout;
    this.order = littleEndian ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN;
  }

  /**
   * Unpacks a row of a block.
   *
   * @param start of the row in {@code block}, in bytes
   * @param row gets all samples of the pixels, or of a planar file the one at {@code plane} of each
   */
  void unpack(byte[] block, int start, int[] row, int plane) {
    int step = layout.planar() ? layout.samples() : 1;
    int count = layout.block().width() * layout.samplesPerBlock();
    ByteBuffer in = ByteBuffer.wrap(block, start, layout.rowBytes()).slice().order(order);
    boolean signed = layout.format() == TiffLayout.Format.SIGNED;
    for (int i = 0, to = plane; i < count; i++, to += step) {
      row[to] =
          switch (layout.bits()) {
            case 8 -> in.get(i) & 0xFF;
            case 16 -> signed ? in.getShort(2 * i) : in.getShort(2 * i) & 0xFFFF;
            case 32 -> in.getInt(4 * i);
            case 64 -> Float.floatToRawIntBits((float) in.getDouble(8 * i));
            default -> packed(in, i * (long) layout.bits());
          };
    }
  }

  /** The sample that begins at a bit of the row and has at most 16 bits, the highest first. */
  private int packed(ByteBuffer in, long bit) {
    int value = 0;
    for (int i = 0; i < 3; i++) {
      int at = (int) (bit >> 3) + i;
      value = value << 8 | (at < in.limit() ? in.get(at) & 0xFF : 0);
    }
    return value >> (24 - layout.bits() - (int) (bit & 7)) & ((1 << layout.bits()) - 1);
  }
}
