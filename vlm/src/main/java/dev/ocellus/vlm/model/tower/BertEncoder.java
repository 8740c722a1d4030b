package dev.ocellus.vlm.model.tower;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.graph.ModelGraph;
import dev.ocellus.vlm.nn.AttentionMask;
import dev.ocellus.vlm.vision.ConfigReader;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * BERT (arXiv:1810.04805) as an encoder of texts, whose tokens all attend to each other; between
 * attention and feed-forward block its rows may attend to the states of an image.
 *
 * <p>The reference is {@code BlipTextModel} of transformers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/blip/modeling_blip_text.py">modeling_blip_text.py</a>.
 */
public final class BertEncoder {
  private record Layer(
      BertSelfAttention self, @Nullable BertCrossAttention cross, BertFeedForward feedForward) {
    static Layer of(LayerConfig c, Weights w, int nStates) {
      return new Layer(
          BertSelfAttention.of(c, w),
          nStates == 0 ? null : BertCrossAttention.of(c, w, nStates),
          BertFeedForward.of(c, w));
    }

    Tensor forward(Tensor x, @Nullable AttentionMask mask, @Nullable Tensor states) {
      x = self.forward(x, mask);
      if (cross != null && states != null) {
        x = cross.forward(x, cross.keysValues(states), null);
      }
      return feedForward.forward(x);
    }
  }

  private final BertConfig config;
  private final BertEmbedding embedding;
  private final List<Layer> layers = new ArrayList<>();

  private BertEncoder(BertConfig config, Weights w, int nStates) {
    this.config = config;
    embedding = BertEmbedding.of(config, w);
    for (int i = 0; i < config.layers().nLayer(); i++) {
      layers.add(Layer.of(config.layers(), w.at("blk").at(i), nStates));
    }
  }

  /**
   * Binds the weights of one that reads texts alone; sizes under {@code clip.text.}.
   *
   * @param w those under {@code t.}
   */
  public static BertEncoder of(GgufMetadata metadata, Weights w) {
    return of(metadata, w, 0);
  }

  /**
   * Binds the weights of one that also attends to states of another model.
   *
   * @param w those under {@code t.}
   * @param nStates width of the states
   */
  public static BertEncoder of(GgufMetadata metadata, Weights w, int nStates) {
    return new BertEncoder(BertConfig.of(new ConfigReader(metadata, "clip.text.")), w, nStates);
  }

  /** Width of the states. */
  public int width() {
    return config.width();
  }

  /** Size of the vocabulary. */
  public int nTokens() {
    return embedding.nTokens();
  }

  /** Most tokens of a text. */
  public int nPositions() {
    return embedding.nPositions();
  }

  /**
   * From the ids of a batch of texts, each of n tokens, one text after the other, to their states,
   * [width, n, batch].
   *
   * @param ids [n · batch], with a limit of at most {@link #nTokens()}
   * @param mask for n keys and n queries, such as {@link AttentionMask#padding}; null for none
   * @param states [nStates, rows, batch] that the texts attend to, or one for all; null for none
   */
  public Tensor forward(
      ModelGraph graph, Tensor ids, int n, @Nullable AttentionMask mask, @Nullable Tensor states) {
    int[] positions = new int[Math.toIntExact(ids.size(0))];
    for (int i = 0; i < positions.length; i++) {
      positions[i] = i % n;
    }
    Tensor at = graph.indexTable("positions", positions, nPositions());
    Tensor x = embedding.forward(ids, at).reshape(width(), n, positions.length / n);
    for (int i = 0; i < layers.size(); i++) {
      x = layers.get(i).forward(x, mask, states).named("text.layer_" + (i + 1));
    }
    return x.named("text.last_hidden");
  }
}
