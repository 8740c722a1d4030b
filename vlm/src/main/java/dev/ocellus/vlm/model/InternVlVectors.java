package dev.ocellus.vlm.model;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.model.tower.QLlama;
import dev.ocellus.vlm.nn.MeanAttentionPool;
import dev.ocellus.vlm.vision.ConfigReader;
import org.jspecify.annotations.Nullable;

/**
 * What makes one vector of an image's states: a pool, and for InternVL-G what learned queries find
 * in them through QLLaMA, pooled too, both of length 1.
 */
record InternVlVectors(MeanAttentionPool pool, @Nullable Queries queries) {
  private static final float POOL_EPS = 1e-5f;
  private static final float LENGTH_EPS = 1e-12f;

  /** InternVL-C's. */
  static InternVlVectors contrastive(
      GgufMetadata metadata, Weights weights, int nStates, int dimension) {
    return new InternVlVectors(pool(weights.at("v"), nStates, heads(metadata), dimension), null);
  }

  /** InternVL-G's. */
  static InternVlVectors generative(
      GgufMetadata metadata, Weights weights, QLlama language, int nStates, int dimension) {
    int nHead = heads(metadata);
    Weights t = weights.at("t");
    int width = language.width();
    var queries =
        new Queries(
            t.f32("query", width, t.outputs("query")), language, pool(t, width, nHead, dimension));
    return new InternVlVectors(pool(weights.at("v"), nStates, nHead, dimension), queries);
  }

  private static int heads(GgufMetadata metadata) {
    return new ConfigReader(metadata, "clip.").integer("pool.head_count", 1, 1 << 10);
  }

  private static MeanAttentionPool pool(Weights w, int width, int nHead, int dimension) {
    return MeanAttentionPool.of(w.at("pool"), width, nHead, dimension, POOL_EPS);
  }

  private record Queries(Tensor queries, QLlama language, MeanAttentionPool pool) {
    Tensor forward(QLlama.Tables graph, Tensor states) {
      long n = queries.size(1);
      Tensor all = queries.inGraphOf(states).repeat(queries.size(0), n, states.size(2));
      return pool.forward(language.forward(graph, all, null, new QLlama.Image(states, n)));
    }
  }

  /** From [nStates, rows, n] to vectors of any length, [dimension, n]. */
  Tensor forward(QLlama.Tables graph, Tensor states) {
    Tensor pooled = pool.forward(states);
    if (queries == null) {
      return pooled;
    }
    Tensor found = queries.forward(graph, states);
    return found.l2Norm(LENGTH_EPS).add(pooled.l2Norm(LENGTH_EPS));
  }
}
