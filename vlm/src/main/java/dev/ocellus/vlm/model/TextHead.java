package dev.ocellus.vlm.model;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.nn.Projection;
import org.jspecify.annotations.Nullable;

/**
 * From a pooled state of a text to its vector: a linear layer; two of them with GELU between; or
 * nothing, where the states are as wide as the vectors and {@code clip.text.has_projection} is
 * false. Weights {@code text_projection}, or {@code text_projection.0} and {@code .1}.
 */
record TextHead(@Nullable Projection first, @Nullable Projection second) {
  /**
   * Binds the weights.
   *
   * @param width of the states
   * @param dimension of the vectors
   */
  static TextHead of(GgufMetadata metadata, Weights weights, long width, int dimension) {
    Weights w = weights.at("text_projection");
    if (w.has("0.weight")) {
      int hidden = w.outputs("0.weight");
      return new TextHead(
          Projection.of(w.at(0), width, hidden), Projection.of(w.at(1), hidden, dimension));
    }
    boolean has = metadata.bool("clip.text.has_projection", true) || width != dimension;
    return new TextHead(has ? Projection.of(w, width, dimension) : null, null);
  }

  /** From [width, n] to [dimension, n]. */
  Tensor forward(Tensor x) {
    Tensor y = first == null ? x : first.forward(x);
    if (second == null) {
      return y;
    }
    Tensor each = y.reshape(y.size(0), 1, y.size(1)); // every text for itself, however many
    Tensor activated = Activation.GELU.apply(each);
    return second.forward(activated.reshape(y.size(0), y.size(1)));
  }
}
