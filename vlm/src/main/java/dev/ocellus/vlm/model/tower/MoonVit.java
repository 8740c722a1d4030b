package dev.ocellus.vlm.model.tower;

import dev.ocellus.ggml.FeatureMaps;
import dev.ocellus.ggml.Interpolation;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.vlm.nn.AttentionKernel;
import dev.ocellus.vlm.nn.DotProductAttention;
import dev.ocellus.vlm.nn.LayerNorm;
import dev.ocellus.vlm.nn.Linear;
import dev.ocellus.vlm.nn.Mlp;
import dev.ocellus.vlm.vision.EncoderGraph;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Kimi K2.5's vision transformer (MoonViT, arXiv:2504.07491): images of any shape, a square table
 * of positions that is resized to each, and rotary positions on two axes. Weights under {@code v.}.
 *
 * <p>The reference is {@code Kimi_K25VisionModel} of transformers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/kimi_k25/modeling_kimi_k25.py">modeling_kimi_k25.py</a>.
 */
public final class MoonVit {
  /** PyTorch's default, which the norms of the layers have. */
  private static final float EPS = 1e-5f;

  private static final double ROPE_THETA = 10_000;

  private record Layer(
      long nEmbd,
      long nHead,
      LayerNorm ln1,
      Linear qkv,
      Linear out,
      LayerNorm ln2,
      Mlp mlp,
      AttentionKernel kernel) {
    static Layer of(TowerConfig c, Weights w) {
      return new Layer(
          c.nEmbd(),
          c.nHead(),
          LayerNorm.of(w.at("ln1"), c.nEmbd(), EPS),
          Linear.of(w.at("attn_qkv"), c.nEmbd(), 3L * c.nEmbd()),
          Linear.of(w.at("attn_out"), c.nEmbd(), c.nEmbd()),
          LayerNorm.of(w.at("ln2"), c.nEmbd(), EPS),
          Mlp.of(w, c.nEmbd(), c.nFf(), c.activation()),
          AttentionKernel.of(w));
    }

    Tensor forward(Tensor x, PairRotation rotation) {
      x = x.add(attention(ln1.forward(x), rotation));
      return x.add(mlp.forward(ln2.forward(x)));
    }

    private Tensor attention(Tensor x, PairRotation rotation) {
      long n = x.size(1);
      Tensor all = qkv.forward(x);
      Tensor query = rotation.apply(part(all, 0), nHead);
      Tensor key = rotation.apply(part(all, 1), nHead);
      Tensor value = part(all, 2).reshape(nEmbd / nHead, nHead, n).permute(0, 2, 1, 3);
      return out.forward(DotProductAttention.forward(query, key, value, kernel));
    }

    private Tensor part(Tensor all, int index) {
      return all.slice(new long[] {index * nEmbd}, nEmbd, all.size(1)).contiguous();
    }
  }

  private final TowerConfig c;
  private final Tensor kernel;
  private final @Nullable Tensor bias;
  private final Tensor table;
  private final long side;
  private final List<Layer> layers = new ArrayList<>();
  private final LayerNorm postNorm;

  private MoonVit(TowerConfig c, Weights w) {
    this.c = c;
    Weights patches = w.at("patch_embd");
    long size = c.patchSize();
    long[] cut = {size, size, 3, c.nEmbd()};
    kernel = patches.f32Reshaped("weight", cut, 3 * size * size, c.nEmbd());
    bias = patches.findF32("bias", c.nEmbd());
    side = w.shape("position_embd.weight")[1];
    long[] stored = {c.nEmbd(), side, side};
    table = w.f32Reshaped("position_embd.weight", stored, c.nEmbd(), side * side);
    for (int i = 0; i < c.nLayer(); i++) {
      layers.add(Layer.of(c, w.at("blk").at(i)));
    }
    postNorm = LayerNorm.of(w.at("post_ln"), c.nEmbd(), EPS);
  }

  /**
   * Binds the weights; the side of the table follows from its shape.
   *
   * @param c whose heads are a multiple of 4 wide, and whose image size does not count
   */
  public static MoonVit of(TowerConfig c, Weights w) {
    return new MoonVit(c, w);
  }

  /**
   * From the patches of one image [3 · patchSize², n], line by line, to normed states [nEmbd, n].
   */
  public Tensor forward(EncoderGraph graph) {
    Tensor pixels = graph.pixels();
    Tensor x = pixels.reshape(pixels.size(0), pixels.size(1)).mulMat(kernel);
    x = bias == null ? x : x.add(bias);
    x = x.add(positions(x, graph.gridX(), graph.gridY())).named("embeddings");
    PairRotation rotation = rotation(graph);
    for (int i = 0; i < layers.size(); i++) {
      x = layers.get(i).forward(x, rotation).named("layer_" + (i + 1));
    }
    return postNorm.forward(x).named("vision.last_hidden");
  }

  /** The first half of a head's pairs turns with the column, the second with the line. */
  private PairRotation rotation(EncoderGraph graph) {
    int nPairs = c.headSize() / 2;
    int half = nPairs / 2;
    return PairRotation.of(
        graph,
        nPairs,
        graph.gridX() * graph.gridY(),
        (pair, row) -> {
          float exponent = (float) (2 * (pair % half)) / (2 * half);
          float frequency = 1 / (float) Math.pow(ROPE_THETA, exponent);
          int place = pair < half ? row % graph.gridX() : row / graph.gridX();
          return place * frequency;
        });
  }

  private Tensor positions(Tensor x, long gridX, long gridY) {
    long nEmbd = table.size(0);
    if (gridX == side && gridY == side) {
      return table.inGraphOf(x);
    }
    Tensor maps = table.inGraphOf(x).transpose().contiguous().reshape(side, side, nEmbd);
    return FeatureMaps.interpolate(maps, gridX, gridY, Interpolation.BICUBIC)
        .reshape(gridX * gridY, nEmbd)
        .transpose()
        .contiguous();
  }
}
