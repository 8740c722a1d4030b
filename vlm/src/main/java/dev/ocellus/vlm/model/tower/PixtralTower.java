package dev.ocellus.vlm.model.tower;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.nn.AttentionKernel;
import dev.ocellus.vlm.nn.DotProductAttention;
import dev.ocellus.vlm.nn.GatedMlp;
import dev.ocellus.vlm.nn.Linear;
import dev.ocellus.vlm.nn.PatchEmbedding;
import dev.ocellus.vlm.nn.RmsNorm;
import dev.ocellus.vlm.vision.ConfigReader;
import dev.ocellus.vlm.vision.EncoderGraph;
import java.util.ArrayList;
import java.util.List;

/**
 * Pixtral's vision transformer (arXiv:2410.07073): images of any shape, rotary positions on two
 * axes, gated feed-forward blocks, no biases and no norm behind. Weights under {@code v.}.
 *
 * <p>The reference is {@code PixtralVisionModel} of transformers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/pixtral/modeling_pixtral.py">modeling_pixtral.py</a>.
 * There, images of one prompt form one sequence in which each attends only to itself; here each
 * goes through on its own.
 */
public final class PixtralTower {
  private static final float EPS = 1e-5f;

  /**
   * @param tower sizes
   * @param ropeBase base of the rotary frequencies
   */
  public record Config(TowerConfig tower, float ropeBase) {
    /** SiLU unless the file asks for another activation. */
    public static Config of(GgufMetadata metadata) {
      boolean gelu = metadata.bool("clip.use_gelu", false);
      var tower = TowerConfig.of(metadata, EPS, gelu ? Activation.GELU : Activation.SILU);
      TowerConfig.heads(ConfigReader.ofVision(metadata), tower.nEmbd(), 4);
      return new Config(
          tower, new ConfigReader(metadata, "clip.").positive("rope.freq_base", 10000));
    }
  }

  /**
   * The first half of a head's pairs turns with the line, the second with the column, at the even
   * and the odd ones of the usual frequencies. The converter has ordered pairs as neighbours.
   */
  private static PairRotation rotation(Config c, EncoderGraph graph) {
    int nPairs = c.tower.headSize() / 2;
    return PairRotation.of(
        graph,
        nPairs,
        graph.gridX() * graph.gridY(),
        (pair, patch) -> {
          boolean vertical = pair < nPairs / 2;
          int exponent = vertical ? 4 * pair : 4 * (pair - nPairs / 2) + 2;
          float frequency =
              1 / (float) Math.pow(c.ropeBase, (float) exponent / (float) c.tower.headSize());
          return (vertical ? patch / graph.gridX() : patch % graph.gridX()) * frequency;
        });
  }

  private record Block(
      TowerConfig config,
      RmsNorm ln1,
      Linear q,
      Linear k,
      Linear v,
      Linear out,
      RmsNorm ln2,
      GatedMlp mlp,
      AttentionKernel kernel) {
    static Block of(TowerConfig c, Weights w) {
      return new Block(
          c,
          RmsNorm.of(w.at("ln1"), c.nEmbd(), c.eps()),
          Linear.of(w.at("attn_q"), c.nEmbd(), c.nEmbd()),
          Linear.of(w.at("attn_k"), c.nEmbd(), c.nEmbd()),
          Linear.of(w.at("attn_v"), c.nEmbd(), c.nEmbd()),
          Linear.of(w.at("attn_out"), c.nEmbd(), c.nEmbd()),
          RmsNorm.of(w.at("ln2"), c.nEmbd(), c.eps()),
          GatedMlp.of(w, c.nEmbd(), c.nFf(), c.activation()),
          AttentionKernel.of(w));
    }

    Tensor forward(Tensor x, PairRotation rotation) {
      x = x.add(attention(ln1.forward(x), rotation));
      return x.add(mlp.forward(ln2.forward(x)));
    }

    private Tensor attention(Tensor x, PairRotation rotation) {
      long n = x.size(1);
      long size = config.headSize();
      Tensor query = rotation.apply(q.forward(x), config.nHead());
      Tensor key = rotation.apply(k.forward(x), config.nHead());
      Tensor value =
          v.forward(x).reshape(size, config.nHead(), n).permute(0, 2, 1, 3); // [size, n, nHead]
      return out.forward(DotProductAttention.forward(query, key, value, kernel));
    }
  }

  private final Config config;
  private final PatchEmbedding patches;
  private final RmsNorm preLn;
  private final List<Block> blocks = new ArrayList<>();

  public PixtralTower(Config config, Weights w) {
    this.config = config;
    TowerConfig c = config.tower;
    patches = PatchEmbedding.of(w.at("patch_embd"), c.patchSize(), c.nEmbd());
    preLn = RmsNorm.of(w.at("pre_ln"), c.nEmbd(), c.eps());
    for (int i = 0; i < c.nLayer(); i++) {
      blocks.add(Block.of(c, w.at("blk").at(i)));
    }
  }

  /** From one image's pixels to [nEmbd, patches row by row]. */
  public Tensor forward(EncoderGraph graph) {
    Tensor x = preLn.forward(patches.forward(graph.pixels())).named("pre_ln");
    PairRotation rotation = rotation(config, graph);
    for (int i = 0; i < blocks.size(); i++) {
      x = blocks.get(i).forward(x, rotation).named("layer_" + (i + 1));
    }
    return x.named("vision.last_hidden");
  }
}
