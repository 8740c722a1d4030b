package dev.ocellus.accel;

import org.jspecify.annotations.Nullable;

/** Makes weights of the scores of queries, in their place. For one thread at a time. */
final class AttentionWeights {
  private final float scale;
  private @Nullable ShortSoftmax rows;
  private @Nullable Softmax row;

  /**
   * @param scale above 0
   */
  AttentionWeights(float scale) {
    this.scale = scale;
  }

  /**
   * Puts weights in the place of scores.
   *
   * @param scores address of the first
   * @param count queries
   * @param n scores of a query
   * @param seen which of them count; null for all
   * @return by query, what results are to be divided by; null for nothing
   */
  float @Nullable [] weigh(long scores, int count, int n, @Nullable SeenScores seen) {
    if (n < ShortSoftmax.WIDTH) {
      rows().weigh(scores, count, n, scale, seen);
      return null;
    }
    Softmax softmax = row(n);
    float[] sums = new float[count];
    for (int i = 0; i < count; i++) {
      sums[i] = softmax.exponentials(scores + 4L * i * n, scale, seen, i);
    }
    return sums;
  }

  private ShortSoftmax rows() {
    ShortSoftmax known = rows;
    if (known == null) {
      known = new ShortSoftmax();
      rows = known;
    }
    return known;
  }

  private Softmax row(int n) {
    Softmax known = row;
    if (known == null || known.width() != n) {
      known = new Softmax(n);
      row = known;
    }
    return known;
  }
}
