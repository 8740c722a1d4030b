package dev.ocellus.vlm.model.tower;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.nn.AttentionKernel;
import dev.ocellus.vlm.nn.AttentionMask;
import dev.ocellus.vlm.nn.CrossAttention;
import dev.ocellus.vlm.nn.DotProductAttention;
import dev.ocellus.vlm.nn.Embedding;
import dev.ocellus.vlm.nn.GatedMlp;
import dev.ocellus.vlm.nn.Linear;
import dev.ocellus.vlm.nn.RmsNorm;
import dev.ocellus.vlm.nn.Rope2d;
import dev.ocellus.vlm.vision.ConfigReader;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * QLLaMA, the language side of InternVL 1.0 (arXiv:2312.14238): LLaMA, some of whose layers attend
 * to the states of an image where there is one. Weights under {@code t.}, sizes under {@code
 * clip.text.}.
 *
 * <p>The reference is {@code LlamaModel} of <a
 * href="https://github.com/OpenGVLab/InternVL/blob/v1.0/internvl_g/internvl/model/internvl_stage2/modeling_qllama.py">modeling_qllama.py</a>,
 * without its caches.
 */
public final class QLlama {
  private static final double THETA = 10000;
  private static final float EPS = 1e-6f;

  /** Attention to an image, each side behind a norm. */
  private record Cross(RmsNorm norm, RmsNorm statesNorm, CrossAttention attention) {
    static Cross of(LayerConfig c, Weights w, int nStates) {
      return new Cross(
          RmsNorm.of(w.at("norm"), c.nEmbd(), c.eps()),
          RmsNorm.of(w.at("states_norm"), nStates, c.eps()),
          CrossAttention.of(w, c.nEmbd(), nStates, c.nHead()));
    }

    Tensor forward(Tensor x, Tensor states) {
      Tensor normed = statesNorm.forward(states);
      return attention.forward(norm.forward(x), attention.keysValues(normed), null);
    }
  }

  private record Layer(
      RmsNorm norm,
      Linear q,
      Linear k,
      Linear v,
      Linear out,
      @Nullable Cross cross,
      RmsNorm mlpNorm,
      GatedMlp mlp) {
    static Layer of(LayerConfig c, Weights w, int nStates) {
      return new Layer(
          RmsNorm.of(w.at("attn_norm"), c.nEmbd(), c.eps()),
          Linear.of(w.at("attn_q"), c.nEmbd(), c.nEmbd()),
          Linear.of(w.at("attn_k"), c.nEmbd(), c.nEmbd()),
          Linear.of(w.at("attn_v"), c.nEmbd(), c.nEmbd()),
          Linear.of(w.at("attn_out"), c.nEmbd(), c.nEmbd()),
          w.has("cross.norm.weight") ? Cross.of(c, w.at("cross"), nStates) : null,
          RmsNorm.of(w.at("ffn_norm"), c.nEmbd(), c.eps()),
          GatedMlp.of(w, c.nEmbd(), c.nFf(), Activation.SILU));
    }
  }

  private final LayerConfig config;
  private final int nTokens;
  private final Embedding embedding;
  private final List<Layer> layers = new ArrayList<>();
  private final RmsNorm finalNorm;
  private final AttentionKernel kernel;

  private QLlama(LayerConfig config, Weights w, int nStates) {
    this.config = config;
    kernel = AttentionKernel.of(w);
    nTokens = w.outputs("token_embd.weight");
    embedding = Embedding.of(w.at("token_embd"), config.nEmbd(), nTokens);
    for (int i = 0; i < config.nLayer(); i++) {
      layers.add(Layer.of(config, w.at("blk").at(i), nStates));
    }
    finalNorm = RmsNorm.of(w.at("output_norm"), config.nEmbd(), config.eps());
  }

  /**
   * Binds the weights.
   *
   * @param w those under {@code t.}
   * @param nStates width of an image's states
   */
  public static QLlama of(GgufMetadata metadata, Weights w, int nStates) {
    var c = new ConfigReader(metadata, "clip.text.");
    int nEmbd = TowerConfig.width(c);
    var config =
        new LayerConfig(
            nEmbd,
            c.integer("feed_forward_length", 1, 1 << 18),
            TowerConfig.heads(c, nEmbd, 2),
            TowerConfig.layers(c),
            c.positive("attention.layer_norm_rms_epsilon", EPS),
            Activation.SILU);
    return new QLlama(config, w, nStates);
  }

  /** Width of the states. */
  public int width() {
    return config.nEmbd();
  }

  /** Size of the vocabulary. */
  public int nTokens() {
    return nTokens;
  }

  /** Vectors of tokens, [width, n]. */
  public Tensor embed(Tensor ids) {
    return embedding.forward(ids);
  }

  /** Makes a table of a graph. */
  @FunctionalInterface
  public interface Tables {
    /** Floats that are the same in every run. */
    Tensor table(String name, float[] values, long... shape);
  }

  /**
   * From [width, n, batch] to the normed states of the last layer.
   *
   * @param mask for n keys and n queries; null for none
   * @param states [nStates, rows, batch] of images; null for texts alone
   */
  public Tensor forward(
      Tables graph, Tensor x, @Nullable AttentionMask mask, @Nullable Tensor states) {
    Rope2d rope = rope(graph, Math.toIntExact(x.size(1)));
    for (Layer layer : layers) {
      x = x.add(attention(layer, layer.norm.forward(x), rope, mask));
      if (layer.cross != null && states != null) {
        x = x.add(layer.cross.forward(x, states));
      }
      x = x.add(layer.mlp.forward(layer.mlpNorm.forward(x)));
    }
    return finalNorm.forward(x);
  }

  /** One axis of positions: halves of a head are turned together, as the two-axis form does. */
  private Rope2d rope(Tables graph, int n) {
    int dHead = config.nEmbd() / config.nHead();
    int half = dHead / 2;
    float[] cos = new float[n * dHead];
    float[] sin = new float[n * dHead];
    for (int row = 0; row < n; row++) {
      for (int i = 0; i < half; i++) {
        float frequency = 1 / (float) Math.pow(THETA, 2f * i / dHead);
        float angle = row * frequency;
        int first = row * dHead + i;
        cos[first] = (float) Math.cos(angle);
        cos[first + half] = cos[first];
        sin[first + half] = (float) Math.sin(angle);
        sin[first] = -sin[first + half];
      }
    }
    return new Rope2d(
        graph.table("rope.cos", cos, dHead, 1, n), graph.table("rope.sin", sin, dHead, 1, n));
  }

  private Tensor attention(Layer layer, Tensor x, Rope2d rope, @Nullable AttentionMask mask) {
    Tensor query = rope.forward(heads(layer.q.forward(x)));
    Tensor key = rope.forward(heads(layer.k.forward(x)));
    Tensor value = heads(layer.v.forward(x));
    return layer.out.forward(
        DotProductAttention.forward(
            query.permute(0, 2, 1, 3),
            key.permute(0, 2, 1, 3),
            value.permute(0, 2, 1, 3),
            mask,
            kernel));
  }

  /** [nEmbd, n, batch] to [dHead, nHead, n, batch]. */
  private Tensor heads(Tensor x) {
    int nHead = config.nHead();
    return x.reshape(x.size(0) / nHead, nHead, x.size(1), x.size(2));
  }
}
