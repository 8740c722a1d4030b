package dev.ocellus.vlm.model.vq;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.vlm.codes.PriorGraph.Cached;
import dev.ocellus.vlm.nn.AttentionKernel;
import dev.ocellus.vlm.nn.AttentionMask;
import dev.ocellus.vlm.nn.DotProductAttention;
import dev.ocellus.vlm.nn.KeysValues;
import dev.ocellus.vlm.nn.Linear;
import dev.ocellus.vlm.nn.Rope2d;
import org.jspecify.annotations.Nullable;

/** Self-attention of rows on a grid, with rotary positions and, if need be, fewer heads of keys. */
final class GridAttention {
  /** What its matrices have. */
  record Size(int width, int nHead, int nKvHead) {
    int headWidth() {
      return width / nHead;
    }
  }

  private final Linear q;
  private final Linear k;
  private final Linear v;
  private final Linear out;
  private final Size size;
  private final AttentionKernel kernel;

  private GridAttention(Weights w, Size size) {
    long kv = (long) size.nKvHead() * size.headWidth();
    q = Linear.of(w.at("attn_q"), size.width(), size.width());
    k = Linear.of(w.at("attn_k"), size.width(), kv);
    v = Linear.of(w.at("attn_v"), size.width(), kv);
    out = Linear.of(w.at("attn_out"), size.width(), size.width());
    kernel = AttentionKernel.of(w);
    this.size = size;
  }

  /**
   * Weights {@code attn_q} and {@code attn_out}, [width, width], {@code attn_k} and {@code attn_v},
   * [width, width of the heads of keys].
   */
  static GridAttention of(Weights w, Size size) {
    return new GridAttention(w, size);
  }

  /**
   * From [width, n, batch] to the same shape.
   *
   * @param cache where keys and values are kept; null for none
   * @param layer of the cache
   */
  Tensor forward(Tensor x, Rope2d rope, @Nullable Cached cache, int layer, AttentionMask mask) {
    Tensor query = rope.forward(heads(q.forward(x))).permute(0, 2, 1, 3);
    Tensor key = rope.forward(heads(k.forward(x)));
    Tensor value = v.forward(x);
    KeysValues seen;
    if (cache == null) {
      seen = new KeysValues(key.permute(0, 2, 1, 3), heads(value).permute(0, 2, 1, 3));
    } else {
      Tensor rows = key.reshape(value.size(0), value.size(1), value.size(2));
      seen = cache.cache().layer(layer).append(rows, value, cache.places(), mask.nKeys());
    }
    return out.forward(
        DotProductAttention.forward(query, seen.keys(), seen.values(), mask, kernel));
  }

  /** [width, n, batch] to [dHead, heads, n, batch]. */
  private Tensor heads(Tensor x) {
    long dHead = size.headWidth();
    return x.reshape(dHead, x.size(0) / dHead, x.size(1), x.size(2));
  }
}
