package dev.ocellus.vlm.model.tower;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.nn.AttentionKernel;
import dev.ocellus.vlm.nn.ClippedGatedMlp;
import dev.ocellus.vlm.nn.ClippedLinear;
import dev.ocellus.vlm.nn.DotProductAttention;
import dev.ocellus.vlm.nn.PatchEmbedding;
import dev.ocellus.vlm.nn.RmsNorm;
import dev.ocellus.vlm.vision.ConfigReader;
import dev.ocellus.vlm.vision.EncoderGraph;
import java.util.ArrayList;
import java.util.List;

/**
 * Gemma 4's vision transformer: images of any shape, a learned table of positions for each axis and
 * rotary ones besides, norms before and behind attention and feed-forward blocks, no biases, and
 * products whose inputs and outputs may be held within ranges. Weights under {@code v.}.
 *
 * <p>The reference is {@code Gemma4VisionModel} of transformers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/gemma4/modeling_gemma4.py">modeling_gemma4.py</a>.
 * There, images of a prompt are padded to as many patches; here there is no padding.
 */
public final class Gemma4Tower {
  private static final float EPS = 1e-6f;
  private static final float THETA = 100;

  /**
   * @param headSize of which {@code nHead} are not always as wide as the tower
   * @param theta base of the rotary frequencies
   * @param nPositions of an axis that the table has
   */
  public record Config(
      int patchSize,
      int nEmbd,
      int nFf,
      int nHead,
      int nHeadKv,
      int headSize,
      int nLayer,
      float eps,
      Activation activation,
      float theta,
      int nPositions) {
    /**
     * @throws dev.ocellus.vlm.vision.InvalidConfigException if no tower can have such sizes
     */
    public static Config of(GgufMetadata metadata, Weights v) {
      ConfigReader c = ConfigReader.ofVision(metadata);
      Weights first = v.at("blk").at(0);
      int headSize = (int) first.shape("attn_q_norm.weight")[0];
      int nHead = c.integer("attention.head_count", 1, 1 << 12);
      int nKeys = first.outputs("attn_k.weight");
      int nHeadKv = nKeys / Math.max(1, headSize);
      if (headSize % 4 != 0 || nHeadKv < 1 || nHeadKv * headSize != nKeys || nHead % nHeadKv != 0) {
        throw c.invalid(
            "attention.head_count",
            "heads of a multiple of 4, as many as or a multiple of those of the keys",
            "%d heads of %d beside keys of %d".formatted(nHead, headSize, nKeys));
      }
      long[] table = v.shape("position_embd.weight");
      return new Config(
          c.integer("patch_size", 1, 1 << 10),
          TowerConfig.width(c),
          c.integer("feed_forward_length", 1, 1 << 18),
          nHead,
          nHeadKv,
          headSize,
          TowerConfig.layers(c),
          c.positive("attention.layer_norm_epsilon", EPS),
          c.activation(Activation.GELU_TANH),
          new ConfigReader(metadata, "clip.").positive("rope.freq_base", THETA),
          table.length > 1 ? (int) table[1] : 0);
    }
  }

  /**
   * Cosines and sines, each [headSize, 1, nPatches]: of each head the first half is turned by
   * columns, the second by lines, and in each the pairs ({@code x[i]}, {@code x[i + headSize/4]}).
   * The first sine of a pair has the minus of the rotation.
   */
  private record Rotation(Tensor cos, Tensor sin) {
    static Rotation of(Config c, EncoderGraph graph) {
      int quarter = c.headSize / 4;
      int nPatches = graph.gridX() * graph.gridY();
      float[] cos = new float[Math.multiplyExact(c.headSize, nPatches)];
      float[] sin = new float[cos.length];
      for (int i = 0; i < 2 * quarter; i++) {
        int place = i % quarter;
        float frequency = 1 / (float) Math.pow(c.theta, (float) (2 * place) / (c.headSize / 2));
        for (int patch = 0; patch < nPatches; patch++) {
          int position = i < quarter ? patch % graph.gridX() : patch / graph.gridX();
          float angle = position * frequency;
          int first = patch * c.headSize + i / quarter * 2 * quarter + place;
          cos[first] = (float) Math.cos(angle);
          cos[first + quarter] = cos[first];
          sin[first + quarter] = (float) Math.sin(angle);
          sin[first] = -sin[first + quarter];
        }
      }
      return new Rotation(
          graph.table("cos", cos, c.headSize, 1, nPatches),
          graph.table("sin", sin, c.headSize, 1, nPatches));
    }

    /** Turns [headSize, nHead, n]; the shape stays. */
    Tensor apply(Tensor x) {
      return x.turned(cos, sin, x.size(0) / 4);
    }
  }

  private record Block(
      Config config,
      RmsNorm ln1,
      ClippedLinear q,
      ClippedLinear k,
      ClippedLinear v,
      ClippedLinear out,
      RmsNorm qNorm,
      RmsNorm kNorm,
      RmsNorm attentionNorm,
      RmsNorm ln2,
      ClippedGatedMlp mlp,
      RmsNorm feedForwardNorm,
      AttentionKernel kernel) {
    static Block of(Config c, Weights w) {
      long heads = (long) c.nHead * c.headSize;
      long keys = (long) c.nHeadKv * c.headSize;
      return new Block(
          c,
          RmsNorm.of(w.at("ln1"), c.nEmbd, c.eps),
          ClippedLinear.of(w.at("attn_q"), c.nEmbd, heads),
          ClippedLinear.of(w.at("attn_k"), c.nEmbd, keys),
          ClippedLinear.of(w.at("attn_v"), c.nEmbd, keys),
          ClippedLinear.of(w.at("attn_out"), heads, c.nEmbd),
          RmsNorm.of(w.at("attn_q_norm"), c.headSize, c.eps),
          RmsNorm.of(w.at("attn_k_norm"), c.headSize, c.eps),
          RmsNorm.of(w.at("attn_post_norm"), c.nEmbd, c.eps),
          RmsNorm.of(w.at("ln2"), c.nEmbd, c.eps),
          ClippedGatedMlp.of(w, c.nEmbd, c.nFf, c.activation),
          RmsNorm.of(w.at("ffn_post_norm"), c.nEmbd, c.eps),
          AttentionKernel.of(w));
    }

    Tensor forward(Tensor x, Rotation rotation) {
      x = x.add(attentionNorm.forward(attention(ln1.forward(x), rotation)));
      return x.add(feedForwardNorm.forward(mlp.forward(ln2.forward(x))));
    }

    private Tensor attention(Tensor rows, Rotation rotation) {
      ClippedLinear.Input x = new ClippedLinear.Input(rows);
      Tensor query = rotation.apply(qNorm.forward(heads(q.forward(x), config.nHead)));
      Tensor key = rotation.apply(kNorm.forward(heads(k.forward(x), config.nHeadKv)));
      Tensor value = heads(v.forward(x), config.nHeadKv).rmsNorm(config.eps);
      return out.forward(
          DotProductAttention.unscaled(byHead(query), byHead(key), byHead(value), kernel));
    }

    private Tensor heads(Tensor x, int n) {
      return x.reshape(config.headSize, n, x.size(1));
    }

    /** [headSize, nHead, n] to [headSize, n, nHead], which attention copies where it has to. */
    private static Tensor byHead(Tensor x) {
      return x.permute(0, 2, 1, 3);
    }
  }

  private final Config config;
  private final PatchEmbedding patches;
  private final Tensor positions;
  private final List<Block> blocks = new ArrayList<>();

  public Gemma4Tower(Config config, Weights v) {
    this.config = config;
    patches = PatchEmbedding.of(v.at("patch_embd"), config.patchSize, config.nEmbd);
    positions =
        v.f32Reshaped(
            "position_embd.weight",
            new long[] {config.nEmbd, config.nPositions, 2},
            config.nEmbd,
            2L * config.nPositions);
    for (int i = 0; i < config.nLayer; i++) {
      blocks.add(Block.of(config, v.at("blk").at(i)));
    }
  }

  /**
   * From one image's pixels, 0 to 1, to [nEmbd, patches row by row]. No side has more patches than
   * the table has positions.
   */
  public Tensor forward(EncoderGraph graph) {
    Tensor x = patches.forward(graph.pixels().scale(2).plus(-1));
    x = x.add(positions(graph)).named("embeddings");
    Rotation rotation = Rotation.of(config, graph);
    for (int i = 0; i < blocks.size(); i++) {
      x = blocks.get(i).forward(x, rotation).named("layer_" + (i + 1));
    }
    return x;
  }

  /** Of each patch that of its column and that of its line together. */
  private Tensor positions(EncoderGraph graph) {
    int n = graph.gridX() * graph.gridY();
    int[] columns = new int[n];
    int[] lines = new int[n];
    for (int i = 0; i < n; i++) {
      columns[i] = i % graph.gridX();
      lines[i] = config.nPositions + i / graph.gridX();
    }
    Tensor x = positions.getRows(graph.indices("columns", columns, config.nPositions));
    return x.add(positions.getRows(graph.indices("lines", lines, 2L * config.nPositions)));
  }
}
