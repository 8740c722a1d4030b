package dev.ocellus.vlm.nn;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import org.jspecify.annotations.Nullable;

/**
 * T5's attention (arXiv:1910.10683): products that are not scaled, with a bias for each head and
 * distance added to them, heads whose widths need not add up to that of the rows, and no biases in
 * its linear layers. It is computed step by step in F32, as ggml's fused kernel rounds what is
 * added to F16.
 */
public final class BiasedAttention {
  private final Linear q;
  private final Linear k;
  private final Linear v;
  private final Linear out;
  private final long dHead;
  private final long nHead;

  private BiasedAttention(Weights w, String name, long width, long dHead, long nHead) {
    this.q = Linear.of(w.at(name + "q"), width, dHead * nHead);
    this.k = Linear.of(w.at(name + "k"), width, dHead * nHead);
    this.v = Linear.of(w.at(name + "v"), width, dHead * nHead);
    this.out = Linear.of(w.at(name + "o"), dHead * nHead, width);
    this.dHead = dHead;
    this.nHead = nHead;
  }

  /**
   * Weights {@code q}, {@code k}, {@code v} [width, dHead · nHead] and {@code o} [dHead · nHead,
   * width].
   *
   * @param name what stands in front of these names, such as {@code attn_}
   */
  public static BiasedAttention of(Weights w, String name, long width, long dHead, long nHead) {
    return new BiasedAttention(w, name, width, dHead, nHead);
  }

  /** Keys of states [width, n]: [dHead · nHead, n]. */
  public Tensor keys(Tensor states) {
    return k.forward(states);
  }

  /** Values of states [width, n]: [dHead · nHead, n]. */
  public Tensor values(Tensor states) {
    return v.forward(states);
  }

  /** Both, cut into heads. */
  public KeysValues keysValues(Tensor states) {
    return new KeysValues(heads(keys(states)), heads(values(states)));
  }

  /**
   * From [width, n] to the same shape.
   *
   * @param bias what is added to the products, [nKeys, n, nHead or 1]; null for nothing
   */
  public Tensor forward(Tensor x, KeysValues states, @Nullable Tensor bias) {
    Tensor scores = heads(q.forward(x)).mulMat(states.keys()); // [nKeys, n, nHead]
    Tensor weights = bias == null ? scores.softMax(1) : scores.softMax(1, bias);
    Tensor columns = states.values().transpose().contiguous(); // [nKeys, dHead, nHead]
    Tensor mixed = weights.mulMat(columns).permute(0, 2, 1, 3).contiguous();
    return out.forward(mixed.reshape(dHead * nHead, x.size(1)));
  }

  /** [dHead · nHead, n] to [dHead, n, nHead]. */
  private Tensor heads(Tensor x) {
    return x.reshape(dHead, nHead, x.size(1)).permute(0, 2, 1, 3);
  }
}
