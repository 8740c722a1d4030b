package dev.ocellus.vlm.model.tower;

import dev.ocellus.ggml.Tensor;
import java.util.List;

/**
 * What the layers of a tower give out.
 *
 * @param states state i is what comes out of i layers, so state 0 is the embeddings; each [nEmbd,
 *     n, batch]
 */
public record HiddenStates(List<Tensor> states) {
  public HiddenStates {
    states = List.copyOf(states);
  }

  /** What comes out of the last layer. */
  public Tensor last() {
    return states.getLast();
  }

  /** Some states joined along their width: [nEmbd · layers, n, batch]. */
  public Tensor joined(List<Integer> layers) {
    Tensor joined = states.get(layers.getFirst());
    for (int layer : layers.subList(1, layers.size())) {
      joined = joined.concat(states.get(layer), 0);
    }
    return joined;
  }
}
