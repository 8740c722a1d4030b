package dev.ocellus.vlm.nn;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Multi-head self-attention with rotary positions, among all rows or within windows. Windows of one
 * length are computed as a batch, so that the cost grows with their number and not with the square
 * of the rows.
 */
public final class RotaryAttention {
  private final Projection projection;
  private final Linear out;
  private final long nEmbd;
  private final AttentionKernel kernel;
  private final @Nullable RmsNorm queryNorm;
  private final @Nullable RmsNorm keyNorm;

  private RotaryAttention(
      Projection projection,
      Linear out,
      long nEmbd,
      AttentionKernel kernel,
      @Nullable RmsNorm queryNorm,
      @Nullable RmsNorm keyNorm) {
    this.projection = projection;
    this.out = out;
    this.nEmbd = nEmbd;
    this.kernel = kernel;
    this.queryNorm = queryNorm;
    this.keyNorm = keyNorm;
  }

  /**
   * Weights {@code attn_qkv} [nEmbd, 3 · nEmbd], or {@code attn_q}, {@code attn_k} and {@code
   * attn_v}, each [nEmbd, nEmbd]; {@code attn_out} [nEmbd, nEmbd]; and where the file has them
   * {@code attn_q_norm} and {@code attn_k_norm}, both [nEmbd / nHead], by which every head is
   * normed before it is turned.
   *
   * @param eps of these norms
   */
  public static RotaryAttention of(Weights w, long nEmbd, long nHead, float eps) {
    Projection projection =
        w.has("attn_qkv.weight")
            ? new Joint(Linear.of(w.at("attn_qkv"), nEmbd, 3 * nEmbd), nEmbd / nHead, nHead)
            : new Separate(
                Linear.of(w.at("attn_q"), nEmbd, nEmbd),
                Linear.of(w.at("attn_k"), nEmbd, nEmbd),
                Linear.of(w.at("attn_v"), nEmbd, nEmbd),
                nEmbd / nHead,
                nHead);
    boolean normed = w.has("attn_q_norm.weight");
    return new RotaryAttention(
        projection,
        Linear.of(w.at("attn_out"), nEmbd, nEmbd),
        nEmbd,
        AttentionKernel.of(w),
        normed ? RmsNorm.of(w.at("attn_q_norm"), nEmbd / nHead, eps) : null,
        normed ? RmsNorm.of(w.at("attn_k_norm"), nEmbd / nHead, eps) : null);
  }

  /** Queries, keys and values, each [dHead, nHead, n, batch]. */
  private record Heads(Tensor query, Tensor key, Tensor value) {}

  private sealed interface Projection {
    Heads forward(Tensor x);
  }

  private record Joint(Linear qkv, long dHead, long nHead) implements Projection {
    @Override
    public Heads forward(Tensor x) {
      Tensor all = qkv.forward(x).reshape(dHead, 3 * nHead, x.size(1), x.size(2));
      return new Heads(part(all, 0), part(all, 1), part(all, 2));
    }

    private Tensor part(Tensor all, int index) {
      return all.slice(new long[] {0, index * nHead}, dHead, nHead, all.size(2), all.size(3));
    }
  }

  private record Separate(Linear q, Linear k, Linear v, long dHead, long nHead)
      implements Projection {
    @Override
    public Heads forward(Tensor x) {
      return new Heads(heads(q, x), heads(k, x), heads(v, x));
    }

    private Tensor heads(Linear linear, Tensor x) {
      return linear.forward(x).reshape(dHead, nHead, x.size(1), x.size(2));
    }
  }

  /** From [nEmbd, n, batch], window after window, to the same shape. */
  public Tensor forward(Tensor x, Rope2d rope, Windows windows) {
    Heads heads = projection.forward(x);
    Tensor query = rope.forward(normed(heads.query, queryNorm));
    Tensor key = rope.forward(normed(heads.key, keyNorm));
    List<Tensor> runs = new ArrayList<>();
    long from = 0;
    for (Windows.Run run : windows.runs()) {
      Tensor mixed =
          DotProductAttention.forward(
              windowed(query, from, run),
              windowed(key, from, run),
              windowed(heads.value, from, run),
              kernel);
      runs.add(mixed.reshape(nEmbd, run.rows(), x.size(2)));
      from += run.rows();
    }
    return out.forward(DotProductAttention.joined(runs));
  }

  private static Tensor normed(Tensor x, @Nullable RmsNorm norm) {
    return norm == null ? x : norm.forward(x);
  }

  /** The rows of a run: [dHead, nHead, n, batch] to [dHead, length, nHead, count · batch]. */
  private static Tensor windowed(Tensor x, long from, Windows.Run run) {
    Tensor rows = x;
    if (run.rows() != x.size(2)) {
      rows = x.slice(new long[] {0, 0, from}, x.size(0), x.size(1), run.rows(), x.size(3));
    }
    if (run.count() > 1) {
      rows = rows.contiguous().reshape(x.size(0), x.size(1), run.length(), run.count() * x.size(3));
    }
    return rows.permute(0, 2, 1, 3);
  }
}
