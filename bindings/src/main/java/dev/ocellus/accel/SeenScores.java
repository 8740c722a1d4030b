package dev.ocellus.accel;

import java.util.Arrays;

/**
 * Which scores of a block's queries a mask leaves, and what it adds to them. For one thread at a
 * time.
 */
final class SeenScores {
  /** Above what the largest number of F16 is. */
  private static final float BELOW_F16 = 1 << 17;

  private final SeenKeys keys;
  private final int place;
  private final int firstKey;
  private final int n;

  // made where a mask's numbers have to be read
  private short[] halves = {};
  private float[] added = {};

  /**
   * @param place of the first query among what is known of the keys
   * @param firstKey that scores are for
   * @param n scores of a query
   */
  SeenScores(SeenKeys keys, int place, int firstKey, int n) {
    this.keys = keys;
    this.place = place;
    this.firstKey = firstKey;
    this.n = n;
  }

  /** The first score of a query that counts. */
  int from(int query) {
    return Math.min(keys.from(place + query) - firstKey, n);
  }

  /** The first behind those that count. */
  int to(int query) {
    return Math.min(keys.to(place + query) - firstKey, n);
  }

  /**
   * Adds what the mask has to the scores of a query; to most nothing.
   *
   * @param row place of the first score
   * @param factor of what is added
   */
  void add(int query, float[] scores, int row, float factor) {
    if (keys.isPlain(place + query)) {
      return;
    }
    read(query);
    for (int i = from(query); i < to(query); i++) {
      scores[row + i] += factor * added[i];
    }
  }

  /** Sets weights that do not count to 0. */
  void hide(int query, float[] weights, int row) {
    int from = from(query);
    int to = to(query);
    Arrays.fill(weights, row, row + from, 0);
    Arrays.fill(weights, row + to, row + n, 0);
    if (keys.isPlain(place + query)) {
      return;
    }
    read(query);
    for (int i = from; i < to; i++) { // without a branch: 0 for minus infinity, 1 for numbers
      weights[row + i] *= Math.min(Math.max(added[i] + BELOW_F16, 0f), 1f);
    }
  }

  private void read(int query) {
    if (added.length == 0) {
      halves = new short[n];
      added = new float[n];
    }
    keys.read(place + query, firstKey, n, halves, added);
  }
}
