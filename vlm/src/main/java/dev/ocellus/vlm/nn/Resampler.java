package dev.ocellus.vlm.nn;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import org.jspecify.annotations.Nullable;

/**
 * Learned queries that attend once to the patches of an image, however many there are, so that a
 * fixed number comes out. Positions are added to the keys and, where the file has them, to the
 * queries. As in Qwen-VL (arXiv:2308.12966) and MiniCPM-V (arXiv:2408.01800).
 */
public final class Resampler {
  private final Tensor query;
  private final LayerNorm queryNorm;
  private final @Nullable Tensor queryPositions;
  private final @Nullable Linear keyValue;
  private final LayerNorm keyValueNorm;
  private final Linear q;
  private final Linear k;
  private final Linear v;
  private final Linear out;
  private final LayerNorm postNorm;
  private final long nEmbd;
  private final long nHead;
  private final long nQueries;
  private final AttentionKernel kernel;

  private Resampler(Weights w, long nIn, long nEmbd, long nHead, float eps) {
    this.nEmbd = nEmbd;
    this.nHead = nHead;
    this.kernel = AttentionKernel.of(w);
    nQueries = w.outputs("query");
    query = w.f32("query", nEmbd, nQueries);
    queryNorm = LayerNorm.of(w.at("ln_q"), nEmbd, eps);
    queryPositions = w.findF32("pos_q", nEmbd, nQueries);
    boolean same = nIn == nEmbd && !w.has("kv.weight");
    keyValue = same ? null : Linear.of(w.at("kv"), nIn, nEmbd);
    keyValueNorm = LayerNorm.of(w.at("ln_kv"), nEmbd, eps);
    Weights attn = w.at("attn");
    q = Linear.of(attn.at("q"), nEmbd, nEmbd);
    k = Linear.of(attn.at("k"), nEmbd, nEmbd);
    v = Linear.of(attn.at("v"), nEmbd, nEmbd);
    out = Linear.of(attn.at("out"), nEmbd, nEmbd);
    postNorm = LayerNorm.of(w.at("ln_post"), nEmbd, eps);
  }

  /**
   * Weights {@code query} and optionally {@code pos_q} [nEmbd, nQueries], {@code kv} (which may be
   * missing where both widths are the same), {@code ln_q}, {@code ln_kv}, {@code attn.q}, {@code
   * attn.k}, {@code attn.v}, {@code attn.out} and {@code ln_post}.
   *
   * @param nIn width of the patches
   * @param nEmbd width of the queries, a multiple of {@code nHead}
   */
  public static Resampler of(Weights w, long nIn, long nEmbd, long nHead, float eps) {
    return new Resampler(w, nIn, nEmbd, nHead, eps);
  }

  /** Embeddings that come out. */
  public int nQueries() {
    return (int) nQueries;
  }

  /** Width of the embeddings that come out. */
  public int width() {
    return (int) nEmbd;
  }

  /**
   * From [nIn, n, batch] to [nEmbd, nQueries, batch].
   *
   * @param positions [nEmbd, n]
   */
  public Tensor forward(Tensor x, Tensor positions) {
    Tensor projected = keyValue == null ? x : keyValue.forward(x);
    Tensor states = keyValueNorm.forward(projected); // [nEmbd, n, batch]
    Tensor queries = queryNorm.forward(query.inGraphOf(x));
    Tensor asked = q.forward(queryPositions == null ? queries : queries.add(queryPositions));
    asked = asked.repeat(nEmbd, nQueries, x.size(2));
    Tensor mixed =
        DotProductAttention.forward(
            heads(asked),
            heads(k.forward(states.add(positions))),
            heads(v.forward(states)),
            kernel);
    return postNorm.forward(out.forward(mixed));
  }

  /** [nEmbd, n, batch] to [dHead, n, nHead, batch]. */
  private Tensor heads(Tensor x) {
    return x.reshape(nEmbd / nHead, nHead, x.size(1), x.size(2)).permute(0, 2, 1, 3);
  }
}
