package dev.ocellus.vlm.model.tower;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.vlm.nn.Attention;
import dev.ocellus.vlm.nn.LayerNorm;
import dev.ocellus.vlm.nn.Mlp;
import java.util.ArrayList;
import java.util.List;

/**
 * The transformer layers that CLIP's and SigLIP's towers share: attention and a feed-forward block,
 * each behind a layer norm and added to what came in. Weights under {@code blk.}.
 */
final class PreNormLayers {
  private record Layer(LayerNorm ln1, Attention attention, LayerNorm ln2, Mlp mlp) {
    static Layer of(TowerConfig c, Weights w) {
      return new Layer(
          LayerNorm.of(w.at("ln1"), c.nEmbd(), c.eps()),
          Attention.of(w, c.nEmbd(), c.nHead()),
          LayerNorm.of(w.at("ln2"), c.nEmbd(), c.eps()),
          Mlp.of(w, c.nEmbd(), c.nFf(), c.activation()));
    }

    Tensor forward(Tensor x) {
      x = x.add(attention.forward(ln1.forward(x)));
      return x.add(mlp.forward(ln2.forward(x)));
    }
  }

  private final List<Layer> layers = new ArrayList<>();

  PreNormLayers(TowerConfig c, Weights w) {
    for (int i = 0; i < c.nLayer(); i++) {
      layers.add(Layer.of(c, w.at("blk").at(i)));
    }
  }

  /** From embeddings [nEmbd, n, batch] to the states of all layers. */
  HiddenStates forward(Tensor x) {
    List<Tensor> states = new ArrayList<>();
    states.add(x);
    for (int i = 0; i < layers.size(); i++) {
      x = layers.get(i).forward(x).named("layer_" + (i + 1));
      states.add(x);
    }
    return new HiddenStates(states);
  }
}
