package dev.ocellus.vlm.model.tower;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.vlm.vision.EncoderGraph;

/**
 * Rotary positions that turn pairs of neighbours in each head (arXiv:2104.09864), each pair by an
 * angle of its own.
 */
final class PairRotation {
  private final Tensor cos;
  private final Tensor sin;

  private PairRotation(Tensor cos, Tensor sin) {
    this.cos = cos;
    this.sin = sin;
  }

  /** Angles in single precision, as the references compute them. */
  interface Angles {
    /** By which a pair of a head turns at a row. */
    float of(int pair, int row);
  }

  /**
   * The tables of a graph.
   *
   * @param nPairs pairs of a head
   * @param nRows rows that are turned
   */
  static PairRotation of(EncoderGraph graph, int nPairs, int nRows, Angles angles) {
    float[] cos = new float[Math.multiplyExact(nPairs, nRows)];
    float[] sin = new float[cos.length];
    for (int row = 0; row < nRows; row++) {
      for (int pair = 0; pair < nPairs; pair++) {
        float angle = angles.of(pair, row);
        cos[row * nPairs + pair] = (float) Math.cos(angle);
        sin[row * nPairs + pair] = (float) Math.sin(angle);
      }
    }
    return new PairRotation(
        graph.table("rope_cos", cos, nPairs, 1, nRows),
        graph.table("rope_sin", sin, nPairs, 1, nRows));
  }

  /**
   * From [nEmbd, n, batch] to [headSize, n, nHead, batch]. The halves of the pairs come out one
   * behind the other, which changes no product of queries and keys.
   */
  Tensor apply(Tensor x, long nHead) {
    long nPairs = cos.size(0);
    long n = x.size(1) * x.size(2); // the tables go on from one member of the batch to the next
    Tensor pairs = x.reshape(2, nPairs, nHead, n).permute(3, 0, 1, 2).contiguous();
    Tensor even = pairs.slice(new long[] {}, nPairs, nHead, n, 1);
    Tensor odd = pairs.slice(new long[] {0, 0, 0, 1}, nPairs, nHead, n, 1);
    Tensor first = even.mul(cos).sub(odd.mul(sin));
    Tensor second = even.mul(sin).add(odd.mul(cos));
    return first
        .concat(second, 0)
        .reshape(2 * nPairs, nHead, x.size(1), x.size(2))
        .permute(0, 2, 1, 3)
        .contiguous();
  }
}
