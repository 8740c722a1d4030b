package dev.ocellus.vlm.image.codec;

import dev.ocellus.vlm.image.Samples;
import java.util.Arrays;

/**
 * The inverse cosine transform of 8x8 blocks in fixed point, with the rounding of libjpeg's "slow"
 * method (the algorithm of Loeffler, Ligtenberg and Moschytz, 11 multiplications for 8 samples;
 * columns keep two bits more for the rows).
 */
final class JpegTransform {
  private static final int BITS = 13;
  private static final int KEPT = 2;

  private static final int C0_298 = fixed(0.298631336);
  private static final int C0_390 = fixed(0.390180644);
  private static final int C0_541 = fixed(0.541196100);
  private static final int C0_765 = fixed(0.765366865);
  private static final int C0_899 = fixed(0.899976223);
  private static final int C1_175 = fixed(1.175875602);
  private static final int C1_501 = fixed(1.501321110);
  private static final int C1_847 = fixed(1.847759065);
  private static final int C1_961 = fixed(1.961570560);
  private static final int C2_053 = fixed(2.053119869);
  private static final int C2_562 = fixed(2.562915447);
  private static final int C3_072 = fixed(3.072711026);

  private final int[] work = new int[64];

  private static int fixed(double value) {
    return (int) (value * (1 << BITS) + 0.5);
  }

  /**
   * Transforms a block.
   *
   * @param in coefficients in rows, from {@code from} on; left as they are
   * @param quants what they are to be multiplied with, in rows
   * @param out samples, whose first row begins at {@code to}
   * @param stride from row to row
   */
  void block(short[] in, int from, int[] quants, byte[] out, int to, int stride) {
    if (isZero(in, from + 1, from + 64)) {
      int value = (short) (in[from] * quants[0] << KEPT);
      byte sample = sample(value + (1 << (KEPT + 2)) >> (KEPT + 3));
      for (int y = 0; y < 8; y++) {
        int row = to + y * stride;
        Arrays.fill(out, row, row + 8, sample);
      }
      return;
    }
    if (isZero(in, from + 8, from + 64)) {
      for (int i = 0; i < 64; i++) {
        work[i] = (short) (in[from + i % 8] * quants[i % 8] << KEPT);
      }
    } else {
      for (int x = 0; x < 8; x++) {
        column(in, from + x, quants, x);
      }
    }
    for (int y = 0; y < 8; y++) {
      row(8 * y, out, to + y * stride);
    }
  }

  private static boolean isZero(short[] in, int from, int to) {
    int any = 0;
    for (int i = from; i < to; i++) {
      any |= in[i];
    }
    return any == 0;
  }

  private void column(short[] in, int at, int[] quants, int x) {
    int[] w = work;
    int z2 = (short) (in[at + 16] * quants[x + 16]);
    int z3 = (short) (in[at + 48] * quants[x + 48]);
    int z1 = (z2 + z3) * C0_541;
    int t2 = z1 - z3 * C1_847;
    int t3 = z1 + z2 * C0_765;
    z2 = (short) (in[at] * quants[x]);
    z3 = (short) (in[at + 32] * quants[x + 32]);
    int t0 = (short) (z2 + z3) << BITS;
    int t1 = (short) (z2 - z3) << BITS;
    int t10 = t0 + t3;
    int t13 = t0 - t3;
    int t11 = t1 + t2;
    int t12 = t1 - t2;
    t0 = (short) (in[at + 56] * quants[x + 56]);
    t1 = (short) (in[at + 40] * quants[x + 40]);
    t2 = (short) (in[at + 24] * quants[x + 24]);
    t3 = (short) (in[at + 8] * quants[x + 8]);
    z1 = (t0 + t3) * -C0_899;
    z2 = (t1 + t2) * -C2_562;
    z3 = (short) (t0 + t2);
    int z4 = (short) (t1 + t3);
    int z5 = (z3 + z4) * C1_175;
    z3 = z3 * -C1_961 + z5;
    z4 = z4 * -C0_390 + z5;
    t0 = t0 * C0_298 + z1 + z3;
    t1 = t1 * C2_053 + z2 + z4;
    t2 = t2 * C3_072 + z2 + z3;
    t3 = t3 * C1_501 + z1 + z4;
    int half = 1 << (BITS - KEPT - 1);
    w[x] = saturated(t10 + t3 + half >> (BITS - KEPT));
    w[x + 56] = saturated(t10 - t3 + half >> (BITS - KEPT));
    w[x + 8] = saturated(t11 + t2 + half >> (BITS - KEPT));
    w[x + 48] = saturated(t11 - t2 + half >> (BITS - KEPT));
    w[x + 16] = saturated(t12 + t1 + half >> (BITS - KEPT));
    w[x + 40] = saturated(t12 - t1 + half >> (BITS - KEPT));
    w[x + 24] = saturated(t13 + t0 + half >> (BITS - KEPT));
    w[x + 32] = saturated(t13 - t0 + half >> (BITS - KEPT));
  }

  private void row(int at, byte[] out, int to) {
    int[] w = work;
    int z2 = w[at + 2];
    int z3 = w[at + 6];
    int z1 = (z2 + z3) * C0_541;
    int t2 = z1 - z3 * C1_847;
    int t3 = z1 + z2 * C0_765;
    int t0 = (short) (w[at] + w[at + 4]) << BITS;
    int t1 = (short) (w[at] - w[at + 4]) << BITS;
    int t10 = t0 + t3;
    int t13 = t0 - t3;
    int t11 = t1 + t2;
    int t12 = t1 - t2;
    t0 = w[at + 7];
    t1 = w[at + 5];
    t2 = w[at + 3];
    t3 = w[at + 1];
    z1 = (t0 + t3) * -C0_899;
    z2 = (t1 + t2) * -C2_562;
    z3 = (short) (t0 + t2);
    int z4 = (short) (t1 + t3);
    int z5 = (z3 + z4) * C1_175;
    z3 = z3 * -C1_961 + z5;
    z4 = z4 * -C0_390 + z5;
    t0 = t0 * C0_298 + z1 + z3;
    t1 = t1 * C2_053 + z2 + z4;
    t2 = t2 * C3_072 + z2 + z3;
    t3 = t3 * C1_501 + z1 + z4;
    int half = 1 << (BITS + KEPT + 2);
    int shift = BITS + KEPT + 3;
    out[to] = sample(t10 + t3 + half >> shift);
    out[to + 7] = sample(t10 - t3 + half >> shift);
    out[to + 1] = sample(t11 + t2 + half >> shift);
    out[to + 6] = sample(t11 - t2 + half >> shift);
    out[to + 2] = sample(t12 + t1 + half >> shift);
    out[to + 5] = sample(t12 - t1 + half >> shift);
    out[to + 3] = sample(t13 + t0 + half >> shift);
    out[to + 4] = sample(t13 - t0 + half >> shift);
  }

  private static int saturated(int value) {
    return Math.max(Short.MIN_VALUE, Math.min(value, Short.MAX_VALUE));
  }

  private static byte sample(int value) {
    return Samples.clip(value + 128);
  }
}
