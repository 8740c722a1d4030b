package dev.ocellus.vlm.decode;

import java.util.Arrays;

/**
 * Where the tokens of beams stand in one cache: behind a beginning that all of them have, those of
 * each step side by side. A beam is the list of rows that it goes through, so nothing is copied
 * when several go on from one.
 */
final class BeamRows {
  private static final float HIDDEN = Float.NEGATIVE_INFINITY;

  private final int nBeginning;
  private int[][] paths = {};
  private int nSteps;

  /**
   * @param nBeginning rows that all beams attend to
   */
  BeamRows(int nBeginning) {
    this.nBeginning = nBeginning;
  }

  /** Lets each beam go on from one of the last step, and gives each a new row. */
  void advance(int[] parents) {
    int n = parents.length;
    int[][] next = new int[n][];
    for (int i = 0; i < n; i++) {
      int[] path = nSteps == 0 ? new int[0] : paths[parents[i]];
      next[i] = Arrays.copyOf(path, nSteps + 1);
      next[i][nSteps] = nBeginning + nSteps * n + i;
    }
    paths = next;
    nSteps++;
  }

  /** Rows that are in use. */
  int used() {
    return nBeginning + nSteps * paths.length;
  }

  /** The new row of each beam. */
  int[] places() {
    int[] places = new int[paths.length];
    Arrays.setAll(places, i -> paths[i][nSteps - 1]);
    return places;
  }

  /**
   * Values [nKeys, beams] of a mask with which a beam attends to the beginning and its own rows.
   */
  float[] mask(int nKeys) {
    float[] mask = new float[paths.length * nKeys];
    Arrays.fill(mask, HIDDEN);
    for (int i = 0; i < paths.length; i++) {
      Arrays.fill(mask, i * nKeys, i * nKeys + nBeginning, 0);
      for (int row : paths[i]) {
        mask[i * nKeys + row] = 0;
      }
    }
    return mask;
  }

  /**
   * How many steps after the beginning each row was computed.
   *
   * @param nKeys rows; those not in use are as if computed next
   */
  int[] steps(int nKeys) {
    int[] steps = new int[nKeys];
    for (int row = nBeginning; row < nKeys; row++) {
      steps[row] = (row - nBeginning) / paths.length;
    }
    return steps;
  }
}
