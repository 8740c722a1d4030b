package dev.ocellus.vlm.nn;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;

/**
 * Pooling by attention as CoCa has it (arXiv:2205.01917): learned queries attend to all states;
 * queries and states have a norm each in front.
 *
 * <p>The reference is {@code AttentionalPooler} of open_clip: <a
 * href="https://github.com/mlfoundations/open_clip/blob/v3.3.0/src/open_clip/transformer.py">transformer.py</a>.
 */
public final class QueryPooling {
  /** A row alone would take other kernels of ggml than several (see {@link Projection}). */
  private static final int COPIES = 2;

  private final Tensor queries;
  private final LayerNorm queryNorm;
  private final LayerNorm stateNorm;
  private final CrossAttention attention;

  private QueryPooling(Weights w, long nEmbd, long nStates, long nHead, float eps) {
    queries = w.f32("query", nEmbd, w.outputs("query"));
    queryNorm = LayerNorm.of(w.at("ln_q"), nEmbd, eps);
    stateNorm = LayerNorm.of(w.at("ln_k"), nStates, eps);
    attention = CrossAttention.of(w, nEmbd, nStates, nHead);
  }

  /**
   * Weights {@code query} [nEmbd, nQueries], {@code ln_q} [nEmbd], {@code ln_k} [nStates], and
   * those of {@link CrossAttention}.
   *
   * @param nStates width of the states
   */
  public static QueryPooling of(Weights w, long nEmbd, long nStates, long nHead, float eps) {
    return new QueryPooling(w, nEmbd, nStates, nHead, eps);
  }

  /** How many queries there are. */
  public long nQueries() {
    return queries.size(1);
  }

  /** What the first query finds: from [nStates, rows, n] to [nEmbd, 1, n]. */
  public Tensor first(Tensor states) {
    Tensor query = queries.inGraphOf(states).slice(new long[] {}, queries.size(0), 1).contiguous();
    Tensor found = found(query.repeat(queries.size(0), COPIES, states.size(2)), states);
    return found.slice(new long[] {}, found.size(0), 1, found.size(2)).contiguous();
  }

  /** What all queries find but the first: from [nStates, rows, n] to [nEmbd, nQueries - 1, n]. */
  public Tensor others(Tensor states) {
    Tensor others =
        queries
            .inGraphOf(states)
            .slice(new long[] {0, 1}, queries.size(0), nQueries() - 1)
            .contiguous();
    return found(others.repeat(queries.size(0), nQueries() - 1, states.size(2)), states);
  }

  private Tensor found(Tensor asked, Tensor states) {
    return attention.forward(
        queryNorm.forward(asked), attention.keysValues(stateNorm.forward(states)), null);
  }
}
