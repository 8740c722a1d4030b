package dev.ocellus.convert.hf;

import java.lang.ref.SoftReference;
import org.jspecify.annotations.Nullable;

/** The product of two small matrices, a part of it at a time. */
final class LowRank {
  private record Factors(float[] left, float[] right) {}

  private final LazyTensor left;
  private final LazyTensor right;
  private final float scale;
  private final int rank;
  private final long columns;
  private @Nullable SoftReference<Factors> read;

  /**
   * @param left [rows, rank]
   * @param right [rank, columns]
   */
  LowRank(LazyTensor left, LazyTensor right, float scale) {
    this.left = left;
    this.right = right;
    this.scale = scale;
    this.rank = Math.toIntExact(right.size(0));
    this.columns = right.count() / rank;
  }

  /** Adds elements of the product, in C order, to those of an array. */
  void addTo(long first, float[] out, int offset, int count) {
    Factors factors = factors();
    int done = 0;
    while (done < count) {
      long row = (first + done) / columns;
      int column = (int) ((first + done) % columns);
      int n = (int) Math.min(columns - column, count - (long) done);
      double[] sums = new double[n];
      for (int r = 0; r < rank; r++) {
        float factor = factors.left[Math.toIntExact(row * rank + r)];
        int from = Math.toIntExact(r * columns + column);
        for (int i = 0; i < n; i++) {
          sums[i] += (double) factor * factors.right[from + i];
        }
      }
      for (int i = 0; i < n; i++) {
        out[offset + done + i] += (float) (scale * sums[i]);
      }
      done += n;
    }
  }

  private synchronized Factors factors() {
    Factors factors = read == null ? null : read.get();
    if (factors == null) {
      factors = new Factors(left.values(), right.values());
      read = new SoftReference<>(factors);
    }
    return factors;
  }
}
