package dev.ocellus.vlm.model.tower;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.vlm.nn.AttentionKernel;
import dev.ocellus.vlm.nn.DotProductAttention;
import dev.ocellus.vlm.nn.LayerNorm;
import dev.ocellus.vlm.nn.Linear;
import dev.ocellus.vlm.nn.Mlp;
import dev.ocellus.vlm.nn.PatchEmbedding;
import dev.ocellus.vlm.vision.EncoderGraph;
import java.util.ArrayList;
import java.util.List;

/**
 * Llama 4's vision transformer: square tiles, a CLS token behind the patches, a table of positions
 * and rotary ones on two axes besides. Weights under {@code v.}.
 *
 * <p>The reference is {@code Llama4VisionModel} of transformers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/llama4/modeling_llama4.py">modeling_llama4.py</a>.
 */
public final class Llama4Tower {
  /** PyTorch's default, which its norms have whatever the configuration says. */
  private static final float EPS = 1e-5f;

  private record Layer(
      long nEmbd,
      long nHead,
      LayerNorm ln1,
      Linear query,
      Linear key,
      Linear value,
      Linear out,
      LayerNorm ln2,
      Mlp mlp,
      AttentionKernel kernel) {
    static Layer of(TowerConfig c, Weights w) {
      int n = c.nEmbd();
      // llama.cpp 0.4.0 calls the norm in front of the feed-forward block otherwise than before
      Weights ln2 = w.at(w.has("attn_post_norm.weight") ? "attn_post_norm" : "ln2");
      return new Layer(
          n,
          c.nHead(),
          LayerNorm.of(w.at("ln1"), n, EPS),
          Linear.of(w.at("attn_q"), n, n),
          Linear.of(w.at("attn_k"), n, n),
          Linear.of(w.at("attn_v"), n, n),
          Linear.of(w.at("attn_out"), n, n),
          LayerNorm.of(ln2, n, EPS),
          Mlp.of(w, n, c.nFf(), c.activation()),
          AttentionKernel.of(w));
    }

    Tensor forward(Tensor x, PairRotation rotation) {
      x = x.add(attention(ln1.forward(x), rotation));
      return x.add(mlp.forward(ln2.forward(x)));
    }

    private Tensor attention(Tensor x, PairRotation rotation) {
      Tensor values =
          value.forward(x).reshape(nEmbd / nHead, nHead, x.size(1), x.size(2)).permute(0, 2, 1, 3);
      return out.forward(
          DotProductAttention.forward(
              rotation.apply(query.forward(x), nHead),
              rotation.apply(key.forward(x), nHead),
              values,
              kernel));
    }
  }

  private final TowerConfig c;
  private final float ropeBase;
  private final PatchEmbedding patches;
  private final Tensor clsToken;
  private final Tensor positions;
  private final LayerNorm preNorm;
  private final List<Layer> layers = new ArrayList<>();
  private final LayerNorm postNorm;

  /**
   * Binds the weights.
   *
   * @param c whose heads are a multiple of 4 wide
   * @param ropeBase base of the rotary frequencies
   */
  public Llama4Tower(TowerConfig c, float ropeBase, Weights w) {
    this.c = c;
    this.ropeBase = ropeBase;
    patches = PatchEmbedding.ofRows(w.at("patch_embd"), c.patchSize(), c.nEmbd());
    clsToken = w.f32("class_embd", c.nEmbd());
    positions = w.f32("position_embd.weight", c.nEmbd(), 1L + c.nPatches());
    preNorm = LayerNorm.of(w.at("pre_ln"), c.nEmbd(), EPS);
    for (int i = 0; i < c.nLayer(); i++) {
      layers.add(Layer.of(c, w.at("blk").at(i)));
    }
    postNorm = LayerNorm.of(w.at("post_ln"), c.nEmbd(), EPS);
  }

  /** From tiles' pixels to the normed states of their patches, [nEmbd, patches, tiles]. */
  public Tensor forward(EncoderGraph graph) {
    Tensor x = patches.forward(graph.pixels());
    long n = x.size(1);
    x = x.concat(clsToken.inGraphOf(x).repeat(c.nEmbd(), 1, x.size(2)), 1);
    x = preNorm.forward(x.add(positions)).named("embeddings");
    PairRotation rotation = rotation(graph);
    for (int i = 0; i < layers.size(); i++) {
      x = layers.get(i).forward(x, rotation).named("layer_" + (i + 1));
    }
    x = postNorm.forward(x);
    return x.slice(new long[] {}, c.nEmbd(), n, x.size(2)).contiguous();
  }

  /**
   * The first half of a head's pairs turns with the column, the second with the line, both from 1
   * on; the CLS token is not turned.
   */
  private PairRotation rotation(EncoderGraph graph) {
    int nPairs = c.headSize() / 2;
    int half = nPairs / 2;
    int side = c.grid();
    return PairRotation.of(
        graph,
        nPairs,
        side * side + 1,
        (pair, row) -> {
          if (row == side * side) {
            return 0;
          }
          float exponent = (float) (2 * (pair % half)) / (2 * half);
          float frequency = 1 / (float) Math.pow(ropeBase, exponent);
          int place = pair < half ? row % side : row / side;
          return (place + 1) * frequency;
        });
  }
}
