package dev.ocellus.vlm.image.codec;

/**
 * One component of a JPEG image at the resolution that it is stored in, and its rows at full
 * resolution: doubled with the "fancy" upsampling of libjpeg-turbo (<a
 * href="https://github.com/libjpeg-turbo/libjpeg-turbo/blob/3.1.0/src/jdsample.c">jdsample.c</a>),
 * where three quarters are the nearer sample's on each axis.
 *
 * @param samples rows of {@code stride} bytes
 * @param width of the stored component without padding
 * @param height likewise
 * @param acrossBy how many columns each makes, 1 or 2
 * @param downBy how many rows each makes, 1 or 2
 */
record JpegPlane(byte[] samples, int stride, int width, int height, int acrossBy, int downBy) {
  /** Whether {@link #row} knows how to; a doubled component of one or two columns is repeated. */
  boolean isKnown() {
    return (acrossBy == 1 || acrossBy == 2) && (downBy == 1 || downBy == 2);
  }

  /**
   * A row at full resolution.
   *
   * @param out at least {@code acrossBy * width} samples, 0 to 255
   * @param sums scratch of {@code width} numbers
   */
  void row(int y, byte[] out, int[] sums) {
    int own = y / downBy * stride;
    if (downBy == 1) {
      across(own, out);
      return;
    }
    int otherRow = y % 2 == 0 ? Math.max(0, y / 2 - 1) : Math.min(height - 1, y / 2 + 1);
    int other = otherRow * stride;
    if (acrossBy == 1) {
      int bias = y % 2 == 0 ? 1 : 2;
      for (int x = 0; x < width; x++) {
        out[x] = (byte) ((samples[own + x] & 0xFF) * 3 + (samples[other + x] & 0xFF) + bias >> 2);
      }
    } else if (width <= 2) {
      repeat(own, out);
    } else {
      for (int x = 0; x < width; x++) {
        sums[x] = (samples[own + x] & 0xFF) * 3 + (samples[other + x] & 0xFF);
      }
      double4(sums, out);
    }
  }

  private void double4(int[] sums, byte[] out) {
    int last = width - 1;
    out[0] = (byte) (sums[0] * 4 + 8 >> 4);
    out[1] = (byte) (sums[0] * 3 + sums[1] + 7 >> 4);
    for (int x = 1; x < last; x++) {
      int near = sums[x] * 3;
      out[2 * x] = (byte) (near + sums[x - 1] + 8 >> 4);
      out[2 * x + 1] = (byte) (near + sums[x + 1] + 7 >> 4);
    }
    out[2 * last] = (byte) (sums[last] * 3 + sums[last - 1] + 8 >> 4);
    out[2 * last + 1] = (byte) (sums[last] * 4 + 7 >> 4);
  }

  private void across(int from, byte[] out) {
    if (acrossBy == 1) {
      System.arraycopy(samples, from, out, 0, width);
    } else if (width <= 2) {
      repeat(from, out);
    } else {
      int last = width - 1;
      out[0] = samples[from];
      out[1] = (byte) ((samples[from] & 0xFF) * 3 + (samples[from + 1] & 0xFF) + 2 >> 2);
      for (int x = 1; x < last; x++) {
        int near = (samples[from + x] & 0xFF) * 3;
        out[2 * x] = (byte) (near + (samples[from + x - 1] & 0xFF) + 1 >> 2);
        out[2 * x + 1] = (byte) (near + (samples[from + x + 1] & 0xFF) + 2 >> 2);
      }
      int near = (samples[from + last] & 0xFF) * 3;
      out[2 * last] = (byte) (near + (samples[from + last - 1] & 0xFF) + 1 >> 2);
      out[2 * last + 1] = samples[from + last];
    }
  }

  private void repeat(int from, byte[] out) {
    for (int x = 0; x < width; x++) {
      out[2 * x] = samples[from + x];
      out[2 * x + 1] = samples[from + x];
    }
  }
}
