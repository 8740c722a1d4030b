package dev.ocellus.vlm.model.text;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.vlm.nn.AttentionKernel;
import dev.ocellus.vlm.nn.AttentionMask;
import dev.ocellus.vlm.nn.DotProductAttention;
import dev.ocellus.vlm.nn.KeysValues;
import dev.ocellus.vlm.nn.KvCache;
import dev.ocellus.vlm.nn.Linear;
import java.util.function.UnaryOperator;

/** Attention with grouped queries (arXiv:2305.13245) to keys and values that are kept. */
record GroupedAttention(
    DecoderSizes sizes,
    Linear query,
    Linear key,
    Linear value,
    Linear out,
    AttentionKernel kernel) {
  /** Weights {@code attn_q}, {@code attn_k}, {@code attn_v} and {@code attn_output}. */
  static GroupedAttention of(DecoderSizes sizes, Weights w) {
    long nQuery = (long) sizes.headWidth() * sizes.nHead();
    long nKey = (long) sizes.headWidth() * sizes.nHeadKv();
    return new GroupedAttention(
        sizes,
        Linear.of(w.at("attn_q"), sizes.width(), nQuery),
        Linear.of(w.at("attn_k"), sizes.width(), nKey),
        Linear.of(w.at("attn_v"), sizes.width(), nKey),
        Linear.of(w.at("attn_output"), nQuery, sizes.width()),
        AttentionKernel.of(w));
  }

  /**
   * From [width, n] to the same shape, where the rows' own keys and values are kept first.
   *
   * @param onQueries what is done to queries [headWidth, nHead, n]; the shape stays
   * @param onKeys what is done to keys [headWidth, nHeadKv, n]
   * @param places [n] rows of the cache that they take
   */
  Tensor forward(
      Tensor x,
      UnaryOperator<Tensor> onQueries,
      UnaryOperator<Tensor> onKeys,
      KvCache.Layer cache,
      Tensor places,
      AttentionMask mask) {
    long n = x.size(1);
    Tensor keys = onKeys.apply(keys(x));
    KeysValues kept =
        cache.append(
            keys.reshape((long) sizes.headWidth() * sizes.nHeadKv(), n),
            value.forward(x),
            places,
            mask.nKeys());
    return to(onQueries.apply(queries(x)), kept, mask);
  }

  /** Attention of queries [headWidth, nHead, n] to what is kept. */
  Tensor to(Tensor queries, KeysValues kept, AttentionMask mask) {
    return out.forward(
        DotProductAttention.forward(
            queries.permute(0, 2, 1, 3), kept.keys(), kept.values(), mask, kernel));
  }

  /** Queries of rows [width, n] by heads. */
  Tensor queries(Tensor x) {
    return query.forward(x).reshape(sizes.headWidth(), sizes.nHead(), x.size(1));
  }

  /** Keys of rows [width, n] by heads. */
  Tensor keys(Tensor x) {
    return key.forward(x).reshape(sizes.headWidth(), sizes.nHeadKv(), x.size(1));
  }
}
