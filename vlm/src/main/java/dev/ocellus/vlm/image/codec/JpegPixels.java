package dev.ocellus.vlm.image.codec;

import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.Samples;

/**
 * The decoded components of a JPEG image.
 *
 * @param parallel whether several threads are worth it
 */
record JpegPixels(ImageSize size, JpegPlane[] planes, boolean parallel) {
  private static final int ROWS_AT_ONCE = 16;

  /** All at full resolution, interleaved, as {@link JpegSamples} has them. */
  byte[] interleaved() {
    return rows(planes.length, (lines, out, to) -> interleave(lines, out, to));
  }

  /** Of three components luma and chroma, red, green and blue. */
  byte[] yccToRgb() {
    return rows(3, (lines, out, to) -> convert(lines, out, to));
  }

  private interface RowWriter {
    void write(byte[][] lines, byte[] out, int to);
  }

  private byte[] rows(int samplesPerPixel, RowWriter writer) {
    int width = size.width();
    int rowBytes = samplesPerPixel * width;
    byte[] out = new byte[Math.multiplyExact(rowBytes, size.height())];
    int groups = (size.height() + ROWS_AT_ONCE - 1) / ROWS_AT_ONCE;
    JpegSequential.rows(groups, parallel)
        .forEach(group -> {
          byte[][] lines = new byte[planes.length][width + 2];
          int[] sums = new int[width + 1];
          int end = Math.min(size.height(), (group + 1) * ROWS_AT_ONCE);
          for (int y = group * ROWS_AT_ONCE; y < end; y++) {
            for (int c = 0; c < planes.length; c++) {
              planes[c].row(y, lines[c], sums);
            }
            writer.write(lines, out, y * rowBytes);
          }
        });
    return out;
  }

  private void interleave(byte[][] lines, byte[] out, int to) {
    int count = lines.length;
    for (int c = 0; c < count; c++) {
      byte[] line = lines[c];
      for (int x = 0; x < size.width(); x++) {
        out[to + x * count + c] = line[x];
      }
    }
  }

  /** libjpeg's tables of chroma, as {@link JpegSamples#yccToRgb} has them, without the tables. */
  private void convert(byte[][] lines, byte[] out, int to) {
    byte[] lumas = lines[0];
    byte[] blues = lines[1];
    byte[] reds = lines[2];
    int at = to;
    for (int x = 0; x < size.width(); x++, at += 3) {
      int y = lumas[x] & 0xFF;
      int cb = (blues[x] & 0xFF) - 128;
      int cr = (reds[x] & 0xFF) - 128;
      out[at] = Samples.clip(y + (JpegSamples.RED * cr + JpegSamples.HALF >> 16));
      out[at + 1] =
          Samples.clip(
              y
                  + (-JpegSamples.GREEN_BLUE * cb - JpegSamples.GREEN_RED * cr + JpegSamples.HALF
                      >> 16));
      out[at + 2] = Samples.clip(y + (JpegSamples.BLUE * cb + JpegSamples.HALF >> 16));
    }
  }
}
