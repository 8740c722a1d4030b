package dev.ocellus.vlm.model.tower;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.vlm.nn.Attention;
import dev.ocellus.vlm.nn.AttentionMask;
import dev.ocellus.vlm.nn.LayerNorm;
import dev.ocellus.vlm.nn.Mlp;
import dev.ocellus.vlm.nn.SpeakingRow;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The transformer layers that the towers of CLIP and SigLIP share, for images and for texts:
 * attention and a feed-forward block, each behind a layer norm, scaled by channel where the file
 * has {@code ls1} and {@code ls2}, and added to what came in. Weights under {@code blk.}.
 */
public final class PreNormLayers {
  private record Layer(
      LayerNorm ln1,
      Attention attention,
      @Nullable Tensor ls1,
      LayerNorm ln2,
      Mlp mlp,
      @Nullable Tensor ls2) {
    static Layer of(LayerConfig c, Weights w) {
      return new Layer(
          LayerNorm.of(w.at("ln1"), c.nEmbd(), c.eps()),
          Attention.of(w, c.nEmbd(), c.nHead()),
          w.findF32("ls1.weight", c.nEmbd()),
          LayerNorm.of(w.at("ln2"), c.nEmbd(), c.eps()),
          Mlp.of(w, c.nEmbd(), c.nFf(), c.activation()),
          w.findF32("ls2.weight", c.nEmbd()));
    }

    Tensor forward(Tensor x, @Nullable AttentionMask mask) {
      x = x.add(scaled(attention.forward(ln1.forward(x), mask), ls1));
      return x.add(scaled(mlp.forward(ln2.forward(x)), ls2));
    }

    /** For one row of each member of a batch: from [nEmbd, n, batch] to [nEmbd, 1, batch]. */
    Tensor forward(Tensor x, @Nullable AttentionMask mask, SpeakingRow row) {
      x = row.of(x).add(scaled(attention.forward(ln1.forward(x), mask, row), ls1));
      return x.add(scaled(mlp.forwardEach(ln2.forward(x)), ls2));
    }

    private static Tensor scaled(Tensor x, @Nullable Tensor scale) {
      return scale == null ? x : x.mul(scale);
    }
  }

  private final List<Layer> layers = new ArrayList<>();

  /** Binds the weights of {@code c.nLayer()} layers. */
  public PreNormLayers(LayerConfig c, Weights w) {
    for (int i = 0; i < c.nLayer(); i++) {
      layers.add(Layer.of(c, w.at("blk").at(i)));
    }
  }

  /** How many there are. */
  int size() {
    return layers.size();
  }

  /**
   * Some layers, from one on and up to another: from states [nEmbd, n, batch] to the same shape.
   */
  Tensor forward(Tensor x, int from, int to) {
    return forward(x, from, to, null);
  }

  private Tensor forward(Tensor x, int from, int to, @Nullable AttentionMask mask) {
    for (int i = from; i < to; i++) {
      x = layers.get(i).forward(x, mask).named("layer_" + (i + 1));
    }
    return x;
  }

  /**
   * From embeddings [nEmbd, n, batch] to what the last layer makes of one row of each member of the
   * batch, [nEmbd, 1, batch].
   *
   * @param mask for n keys and n queries; null for none
   */
  Tensor forward(Tensor x, @Nullable AttentionMask mask, SpeakingRow row) {
    int last = layers.size() - 1;
    return layers.get(last).forward(forward(x, 0, last, mask), mask, row);
  }

  /** From embeddings [nEmbd, n, batch] to the states of all layers; bidirectional. */
  public HiddenStates forward(Tensor x) {
    return forward(x, null);
  }

  /**
   * From embeddings [nEmbd, n, batch] to the states of all layers.
   *
   * @param mask for n keys and n queries; null for none
   */
  public HiddenStates forward(Tensor x, @Nullable AttentionMask mask) {
    List<Tensor> states = new ArrayList<>();
    states.add(x);
    for (int i = 0; i < layers.size(); i++) {
      x = layers.get(i).forward(x, mask).named("layer_" + (i + 1));
      states.add(x);
    }
    return new HiddenStates(states);
  }
}
