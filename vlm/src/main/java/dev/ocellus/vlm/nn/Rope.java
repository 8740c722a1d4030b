package dev.ocellus.vlm.nn;

import dev.ocellus.ggml.Tensor;

/**
 * Rotary positions of text (arXiv:2104.09864) where neighbours are turned together: the pairs
 * ({@code x[2i]}, {@code x[2i+1]}), as the weights of LLaMA are stored in GGUF.
 *
 * <p>The turned pairs are left as ({@code x[i]}, {@code x[i + dHead/2]}). Queries and keys are
 * reordered alike, so their products are the same.
 */
public final class Rope {
  private final Tensor cos;
  private final Tensor sin;

  /**
   * @param cos {@link Tables#cos}, [dHead / 2, 1, 1, n]
   * @param sin {@link Tables#sin}, [dHead / 2, 1, 1, n]
   */
  public Rope(Tensor cos, Tensor sin) {
    this.cos = cos;
    this.sin = sin;
  }

  /** Cosines and sines, dHead / 2 for each position. */
  public record Tables(float[] cos, float[] sin) {
    /**
     * @param dHead width of a head, even
     * @param theta base of the frequencies
     */
    public static Tables of(int dHead, int[] positions, double theta) {
      int half = dHead / 2;
      float[] cos = new float[Math.multiplyExact(positions.length, half)];
      float[] sin = new float[cos.length];
      for (int row = 0; row < positions.length; row++) {
        for (int i = 0; i < half; i++) {
          double angle = positions[row] * Math.pow(theta, -2.0 * i / dHead);
          cos[row * half + i] = (float) Math.cos(angle);
          sin[row * half + i] = (float) Math.sin(angle);
        }
      }
      return new Tables(cos, sin);
    }

    /**
     * With angles in single precision, as the references compute them.
     *
     * @param frequencies of each pair
     */
    public static Tables of(int[] positions, float[] frequencies) {
      int half = frequencies.length;
      float[] cos = new float[Math.multiplyExact(positions.length, half)];
      float[] sin = new float[cos.length];
      for (int row = 0; row < positions.length; row++) {
        for (int i = 0; i < half; i++) {
          float angle = positions[row] * frequencies[i];
          cos[row * half + i] = (float) Math.cos(angle);
          sin[row * half + i] = (float) Math.sin(angle);
        }
      }
      return new Tables(cos, sin);
    }
  }

  /** Turns [dHead, nHead, n]; the shape stays. */
  public Tensor forward(Tensor x) {
    long half = x.size(0) / 2;
    Tensor pairs = // [dHead / 2, 2, nHead, n]
        x.reshape(2, half, x.size(1), x.size(2)).permute(1, 0, 2, 3).contiguous();
    Tensor first = pairs.slice(new long[] {}, half, 1, x.size(1), x.size(2));
    Tensor second = pairs.slice(new long[] {0, 1}, half, 1, x.size(1), x.size(2));
    Tensor turned =
        first.mul(cos).sub(second.mul(sin)).concat(first.mul(sin).add(second.mul(cos)), 1);
    return turned.reshape(x.size(0), x.size(1), x.size(2));
  }
}
