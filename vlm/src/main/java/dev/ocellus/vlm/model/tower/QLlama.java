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
import dev.ocellus.vlm.nn.KeysValues;
import dev.ocellus.vlm.nn.Linear;
import dev.ocellus.vlm.nn.RmsNorm;
import dev.ocellus.vlm.nn.Rope2d;
import dev.ocellus.vlm.vision.ConfigReader;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * QLLaMA, the language side of InternVL 1.0 (arXiv:2312.14238): LLaMA, some of whose layers attend
 * to the states of an image where there is one. Weights under {@code t.}, sizes under {@code
 * clip.text.}.
 *
 * <p>The reference is {@code LlamaModel} of <a
 * href="https://github.com/OpenGVLab/InternVL/blob/v1.0/internvl_g/internvl/model/internvl_stage2/modeling_qllama.py">modeling_qllama.py</a>,
 * whose caches are in {@code model.text.QLlamaDecoder}.
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

    /** Adds to the first rows of an input what they find; the others stay as they are. */
    Tensor forward(Tensor x, Image image) {
      long n = image.nRows;
      long behind = x.size(1) - n;
      if (behind == 0) {
        return x.add(found(x, image.states));
      }
      long width = x.size(0);
      long batch = x.size(2);
      Tensor first = x.slice(new long[] {}, width, n, batch).contiguous();
      Tensor others = x.slice(new long[] {0, n}, width, behind, batch).contiguous();
      return first.add(found(first, image.states)).concat(others, 1);
    }

    private Tensor found(Tensor x, Tensor states) {
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

  /** Heads of queries, keys and values. */
  public int nHead() {
    return config.nHead();
  }

  /** Width of a head. */
  public int headWidth() {
    return config.nEmbd() / config.nHead();
  }

  /** Number of layers. */
  public int nLayers() {
    return layers.size();
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
   * What rows attend to besides each other.
   *
   * @param states [nStates, rows, batch] of images, or one for all
   * @param nRows how many rows of each input do, the first ones
   */
  public record Image(Tensor states, long nRows) {}

  /** Where the keys and values of layers go. */
  @FunctionalInterface
  public interface Memory {
    /**
     * What the rows of an input attend to.
     *
     * @param layer counted from 0
     * @param keys of these rows, with their positions, [width, n, batch]
     * @param values of these rows, [width, n, batch]
     */
    KeysValues attended(int layer, Tensor keys, Tensor values);
  }

  /**
   * From [width, n, batch] to the normed states of the last layer; rows stand at 0, 1, 2 and so on.
   *
   * @param mask for n keys and n queries; null for none
   * @param image null for texts alone
   */
  public Tensor forward(
      Tables graph, Tensor x, @Nullable AttentionMask mask, @Nullable Image image) {
    return forward(graph, x, mask, image, (layer, keys, values) -> cut(keys, values));
  }

  /** The same with keys and values that go somewhere. */
  public Tensor forward(
      Tables graph, Tensor x, @Nullable AttentionMask mask, @Nullable Image image, Memory memory) {
    int n = Math.toIntExact(x.size(1));
    int[] positions = new int[n];
    Arrays.setAll(positions, i -> i);
    Rope2d.Tables turns = turns(positions);
    long width = headWidth();
    var rope =
        new Rope2d(
            graph.table("rope.cos", turns.cos(), width, 1, n),
            graph.table("rope.sin", turns.sin(), width, 1, n));
    return forward(x, rope, mask, image, memory);
  }

  /**
   * The same at any positions.
   *
   * @param rope with the {@link #turns} of the rows
   * @param mask for what {@code memory} gives
   */
  public Tensor forward(
      Tensor x, Rope2d rope, @Nullable AttentionMask mask, @Nullable Image image, Memory memory) {
    for (int i = 0; i < layers.size(); i++) {
      Layer layer = layers.get(i);
      x = x.add(attention(i, layer.norm.forward(x), rope, mask, memory));
      if (layer.cross != null && image != null) {
        x = layer.cross.forward(x, image);
      }
      x = x.add(layer.mlp.forward(layer.mlpNorm.forward(x)));
    }
    return finalNorm.forward(x);
  }

  /** One axis of positions: halves of a head are turned together, as the two-axis form does. */
  public Rope2d.Tables turns(int[] positions) {
    int dHead = headWidth();
    int half = dHead / 2;
    float[] cos = new float[positions.length * dHead];
    float[] sin = new float[cos.length];
    for (int row = 0; row < positions.length; row++) {
      for (int i = 0; i < half; i++) {
        float frequency = 1 / (float) Math.pow(THETA, 2f * i / dHead);
        float angle = positions[row] * frequency;
        int first = row * dHead + i;
        cos[first] = (float) Math.cos(angle);
        cos[first + half] = cos[first];
        sin[first + half] = (float) Math.sin(angle);
        sin[first] = -sin[first + half];
      }
    }
    return new Rope2d.Tables(cos, sin);
  }

  private Tensor attention(
      int index, Tensor x, Rope2d rope, @Nullable AttentionMask mask, Memory memory) {
    Layer layer = layers.get(index);
    Tensor query = rope.forward(heads(layer.q.forward(x)));
    Tensor key = rope.forward(heads(layer.k.forward(x)));
    Tensor keys = key.reshape(width(), x.size(1), x.size(2));
    KeysValues attended = memory.attended(index, keys, layer.v.forward(x));
    return layer.out.forward(
        DotProductAttention.forward(
            query.permute(0, 2, 1, 3), attended.keys(), attended.values(), mask, kernel));
  }

  private KeysValues cut(Tensor keys, Tensor values) {
    return new KeysValues(heads(keys).permute(0, 2, 1, 3), heads(values).permute(0, 2, 1, 3));
  }

  /** [nEmbd, n, batch] to [dHead, nHead, n, batch]. */
  private Tensor heads(Tensor x) {
    return x.reshape(headWidth(), nHead(), x.size(1), x.size(2));
  }
}
