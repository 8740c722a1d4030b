package dev.ocellus.vlm.nn;

import dev.ocellus.ggml.Tensor;

/**
 * Rotary positions with two axes (arXiv:2104.09864, as in arXiv:2409.12191): of the pairs ({@code
 * x[i]}, {@code x[i + dHead/2]}), the first half is turned by the row of a patch, the other half by
 * its column.
 *
 * <p>The angles come from tables, computed with the roundings of the reference. ggml's own rope
 * multiplies its way from one frequency to the next, which is off by more the higher the position.
 */
public final class Rope2d {
  private final Tensor cos;
  private final Tensor sin;

  /**
   * @param cos {@link Tables#cos}, [dHead, 1, n]
   * @param sin {@link Tables#sin}, [dHead, 1, n]
   */
  public Rope2d(Tensor cos, Tensor sin) {
    this.cos = cos;
    this.sin = sin;
  }

  /**
   * Cosines and sines, dHead for each patch. The sines of the first half have the minus of the
   * rotation.
   */
  public record Tables(float[] cos, float[] sin) {
    /**
     * @param dHead width of a head, a multiple of 4
     * @param rows row of every patch
     * @param columns column of every patch
     * @param theta base of the frequencies
     */
    public static Tables of(int dHead, int[] rows, int[] columns, double theta) {
      int quarter = dHead / 4;
      float[] frequencies = new float[quarter];
      for (int i = 0; i < quarter; i++) {
        float exponent = (float) (2 * i) / (dHead / 2);
        frequencies[i] = 1 / (float) Math.pow(theta, exponent);
      }
      float[] cos = new float[Math.multiplyExact(rows.length, dHead)];
      float[] sin = new float[cos.length];
      for (int patch = 0; patch < rows.length; patch++) {
        int first = patch * dHead;
        int second = first + dHead / 2;
        for (int i = 0; i < dHead / 2; i++) {
          int position = i < quarter ? rows[patch] : columns[patch];
          float angle = position * frequencies[i % quarter];
          cos[first + i] = (float) Math.cos(angle);
          cos[second + i] = cos[first + i];
          sin[second + i] = (float) Math.sin(angle);
          sin[first + i] = -sin[second + i];
        }
      }
      return new Tables(cos, sin);
    }
  }

  /** Turns [dHead, nHead, n, batch]; the shape stays. */
  public Tensor forward(Tensor x) {
    return x.turned(cos, sin, x.size(0) / 2);
  }
}
