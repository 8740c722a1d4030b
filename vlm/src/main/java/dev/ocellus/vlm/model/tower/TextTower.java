package dev.ocellus.vlm.model.tower;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.graph.ModelGraph;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.nn.AttentionMask;
import dev.ocellus.vlm.nn.LayerNorm;
import dev.ocellus.vlm.nn.SpeakingRow;
import dev.ocellus.vlm.nn.TextEmbedding;
import dev.ocellus.vlm.vision.ConfigReader;
import org.jspecify.annotations.Nullable;

/**
 * The text transformer of CLIP (arXiv:2103.00020) and SigLIP (arXiv:2303.15343): vectors of tokens
 * and positions, layers as the image tower's, and a norm behind them. Weights under {@code t.},
 * sizes under {@code clip.text.}.
 *
 * <p>The reference is {@code CLIPTextTransformer} of transformers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/clip/modeling_clip.py">modeling_clip.py</a>.
 */
public final class TextTower {
  private static final int MAX_POSITIONS = 1 << 16;

  private final LayerConfig config;
  private final int nTokens;
  private final int nPositions;
  private final TextEmbedding embedding;
  private final PreNormLayers layers;
  private final LayerNorm finalNorm;

  private TextTower(LayerConfig config, int nPositions, Weights w) {
    this.config = config;
    this.nPositions = nPositions;
    nTokens = w.outputs("token_embd.weight");
    embedding = TextEmbedding.of(w, config.nEmbd(), nTokens, nPositions);
    layers = new PreNormLayers(config, w);
    finalNorm = LayerNorm.of(w.at("post_ln"), config.nEmbd(), config.eps());
  }

  /**
   * Binds the weights.
   *
   * @param w those under {@code t.}
   * @param eps of the norms, where the file has none
   * @param activation where the file has no {@code clip.text.hidden_act}
   * @throws dev.ocellus.vlm.vision.InvalidConfigException if no model can have such sizes
   * @throws dev.ocellus.gguf.GgufFormatException if one is missing
   * @throws dev.ocellus.compute.GgmlException if weights are missing or have another shape
   */
  public static TextTower of(GgufMetadata metadata, Weights w, float eps, Activation activation) {
    var c = new ConfigReader(metadata, "clip.text.");
    int nEmbd = TowerConfig.width(c);
    var config =
        new LayerConfig(
            nEmbd,
            c.integer("feed_forward_length", 1, 1 << 18),
            TowerConfig.heads(c, nEmbd, 1),
            TowerConfig.layers(c),
            c.positive("attention.layer_norm_epsilon", eps),
            c.activation(activation));
    return new TextTower(config, c.integer("context_length", 2, MAX_POSITIONS), w);
  }

  /** Width of the states. */
  public int width() {
    return config.nEmbd();
  }

  /** Size of the vocabulary. */
  public int nTokens() {
    return nTokens;
  }

  /** Most tokens of a text. */
  public int nPositions() {
    return nPositions;
  }

  /**
   * From the ids of a batch of texts, each of n tokens, one text after the other, to the normed
   * states of the rows that speak for them, [width, batch].
   *
   * @param ids [n · batch], with a limit of at most {@link #nTokens()}
   * @param pooled [batch] those rows, of n · batch
   * @param mask for n keys and n queries; null for none
   */
  public Tensor forward(
      ModelGraph graph, Tensor ids, Tensor pooled, int n, @Nullable AttentionMask mask) {
    Tensor x = embed(graph, ids, n);
    SpeakingRow row = SpeakingRow.at(pooled);
    Tensor spoken;
    if (graph.keepsNamed()) {
      x = finalNorm.forward(layers.forward(x, mask).last()).named("text.last_hidden");
      spoken = row.of(x);
    } else {
      spoken = finalNorm.forward(layers.forward(x, mask, row));
    }
    return spoken.reshape(spoken.size(0), spoken.size(2)).named("text.pooled");
  }

  private Tensor embed(ModelGraph graph, Tensor ids, int n) {
    int[] positions = new int[Math.toIntExact(ids.size(0))];
    for (int i = 0; i < positions.length; i++) {
      positions[i] = i % n;
    }
    Tensor x = embedding.forward(ids, graph.indexTable("positions", positions, nPositions));
    return x.reshape(config.nEmbd(), n, positions.length / n);
  }
}
