package dev.ocellus.vlm.nn;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import org.jspecify.annotations.Nullable;

/**
 * Multi-head attention of rows to the states of another model (arXiv:1706.03762), such as a text
 * decoder's to the embeddings of an image. Keys and values can be computed once and used for many
 * runs ({@link #keysValues}, {@link KvCache.Layer#append}).
 */
public final class CrossAttention {
  private final Linear q;
  private final Linear k;
  private final Linear v;
  private final Linear out;
  private final long nEmbd;
  private final long nHead;
  private final AttentionKernel kernel;

  private CrossAttention(Weights w, String name, long nEmbd, long nStates, long nHead) {
    this.q = Linear.of(w.at(name + "_q"), nEmbd, nEmbd);
    this.k = Linear.of(w.at(name + "_k"), nStates, nEmbd);
    this.v = Linear.of(w.at(name + "_v"), nStates, nEmbd);
    this.out = Linear.of(w.at(name + "_out"), nEmbd, nEmbd);
    this.nEmbd = nEmbd;
    this.nHead = nHead;
    this.kernel = AttentionKernel.of(w);
  }

  /**
   * Weights {@code attn_q} and {@code attn_out} [nEmbd, nEmbd], {@code attn_k} and {@code attn_v}
   * [nStates, nEmbd].
   *
   * @param nStates width of the states
   */
  public static CrossAttention of(Weights w, long nEmbd, long nStates, long nHead) {
    return of(w, "attn", nEmbd, nStates, nHead);
  }

  /** The same with another beginning of the names than {@code attn}. */
  public static CrossAttention of(Weights w, String name, long nEmbd, long nStates, long nHead) {
    return new CrossAttention(w, name, nEmbd, nStates, nHead);
  }

  /** Keys of states [nStates, n, batch]: [nEmbd, n, batch]. */
  public Tensor keys(Tensor states) {
    return k.forward(states);
  }

  /** Values of states [nStates, n, batch]: [nEmbd, n, batch]. */
  public Tensor values(Tensor states) {
    return v.forward(states);
  }

  /** Both, cut into heads. */
  public KeysValues keysValues(Tensor states) {
    return new KeysValues(heads(keys(states)), heads(values(states)));
  }

  /**
   * From [nEmbd, n, batch] to the same shape.
   *
   * @param mask for the states' rows and n queries, such as {@link AttentionMask#padding}; null for
   *     none
   */
  public Tensor forward(Tensor x, KeysValues states, @Nullable AttentionMask mask) {
    return out.forward(
        DotProductAttention.forward(
            heads(q.forward(x)), states.keys(), states.values(), mask, kernel));
  }

  /** [nEmbd, n, batch] to [dHead, n, nHead, batch]. */
  private Tensor heads(Tensor x) {
    return x.reshape(nEmbd / nHead, nHead, x.size(1), x.size(2)).permute(0, 2, 1, 3);
  }
}
