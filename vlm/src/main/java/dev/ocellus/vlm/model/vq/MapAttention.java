package dev.ocellus.vlm.model.vq;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.vlm.nn.AttentionKernel;
import dev.ocellus.vlm.nn.DotProductAttention;
import dev.ocellus.vlm.nn.GroupNorm;
import dev.ocellus.vlm.nn.Linear;

/** Every pixel of a map attends to every other, with one head; beside the identity. */
final class MapAttention {
  private final GroupNorm norm;
  private final Linear q;
  private final Linear k;
  private final Linear v;
  private final Linear out;
  private final AttentionKernel kernel;

  private MapAttention(
      GroupNorm norm, Linear q, Linear k, Linear v, Linear out, AttentionKernel kernel) {
    this.norm = norm;
    this.q = q;
    this.k = k;
    this.v = v;
    this.out = out;
    this.kernel = kernel;
  }

  /** Weights {@code norm}, and {@code q}, {@code k}, {@code v}, {@code out}, each [n, n]. */
  static MapAttention of(Weights w, int n) {
    return new MapAttention(
        Maps.norm(w.at("norm"), n),
        Linear.of(w.at("q"), n, n),
        Linear.of(w.at("k"), n, n),
        Linear.of(w.at("v"), n, n),
        Linear.of(w.at("out"), n, n),
        AttentionKernel.of(w));
  }

  /** [width, height, n, batch]; the shape stays. */
  Tensor forward(Tensor x) {
    Tensor rows = Maps.rows(norm.forward(x)); // [n, pixels, batch]
    Tensor mixed =
        DotProductAttention.forward(
            head(q.forward(rows)), head(k.forward(rows)), head(v.forward(rows)), kernel);
    return x.add(Maps.map(out.forward(mixed), x.size(0), x.size(1)));
  }

  /** [n, pixels, batch] to [n, pixels, 1, batch]. */
  private static Tensor head(Tensor rows) {
    return rows.reshape(rows.size(0), rows.size(1), 1, rows.size(2));
  }
}
