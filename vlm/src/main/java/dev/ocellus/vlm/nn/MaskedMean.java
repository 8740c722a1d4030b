package dev.ocellus.vlm.nn;

import dev.ocellus.ggml.Tensor;

/** Pooling by the mean of those rows that a mask leaves. */
public final class MaskedMean {
  private MaskedMean() {}

  /**
   * From [nEmbd, n, batch] to [nEmbd, batch].
   *
   * @param mask for n keys, of which those that its first query may attend to are counted, such as
   *     {@link AttentionMask#padding}; the states of the others are finite
   */
  public static Tensor forward(Tensor x, AttentionMask mask) {
    long n = x.size(1);
    // zeros and minus infinities become equal shares and zeros
    Tensor shares = mask.queries(0, 1).softMax(1).reshape(n, 1, x.size(2));
    Tensor weighted = x.transpose().contiguous().mul(shares);
    return weighted.sumRows().reshape(x.size(0), x.size(2));
  }
}
