package dev.ocellus.vlm.nn;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;

/**
 * Pooling of a map by attention (arXiv:2103.00020): the mean of all pixels attends to itself and to
 * all of them, each with a learned position.
 */
public final class AttentionPool2d {
  /** A row alone would take other kernels of ggml than several (see {@link Projection}). */
  private static final int COPIES = 2;

  private final Tensor positions;
  private final Linear q;
  private final Linear k;
  private final Linear v;
  private final Linear out;
  private final long nHead;
  private final AttentionKernel kernel;

  private AttentionPool2d(Weights w, long nEmbd, long nPixels, long nHead, long nOut) {
    positions = w.f32("position_embd.weight", nEmbd, 1 + nPixels);
    q = Linear.of(w.at("attn_q"), nEmbd, nEmbd);
    k = Linear.of(w.at("attn_k"), nEmbd, nEmbd);
    v = Linear.of(w.at("attn_v"), nEmbd, nEmbd);
    out = Linear.of(w.at("attn_out"), nEmbd, nOut);
    this.nHead = nHead;
    kernel = AttentionKernel.of(w);
  }

  /**
   * Weights {@code position_embd.weight} [nEmbd, 1 + nPixels], {@code attn_q}, {@code attn_k},
   * {@code attn_v} [nEmbd, nEmbd] and {@code attn_out} [nEmbd, nOut].
   */
  public static AttentionPool2d of(Weights w, long nEmbd, long nPixels, long nHead, long nOut) {
    return new AttentionPool2d(w, nEmbd, nPixels, nHead, nOut);
  }

  /** From maps [width, height, nEmbd, n] to [nOut, n]. */
  public Tensor forward(Tensor maps) {
    long nPixels = maps.size(0) * maps.size(1);
    long nEmbd = maps.size(2);
    long n = maps.size(3);
    Tensor channels = maps.reshape(nPixels, nEmbd, n);
    Tensor mean = channels.meanRows().reshape(nEmbd, 1, n);
    Tensor rows = mean.concat(channels.transpose().contiguous(), 1).add(positions);
    Tensor first = rows.slice(new long[] {}, nEmbd, 1, n).contiguous().repeat(nEmbd, COPIES, n);
    Tensor mixed =
        DotProductAttention.forward(
            heads(q.forward(first)), heads(k.forward(rows)), heads(v.forward(rows)), kernel);
    Tensor y = out.forward(mixed); // [nOut, COPIES, n]
    return y.slice(new long[] {}, y.size(0), 1, n).contiguous().reshape(y.size(0), n);
  }

  /** [nEmbd, n, batch] to [dHead, n, nHead, batch]. */
  private Tensor heads(Tensor x) {
    return x.reshape(x.size(0) / nHead, nHead, x.size(1), x.size(2)).permute(0, 2, 1, 3);
  }
}
