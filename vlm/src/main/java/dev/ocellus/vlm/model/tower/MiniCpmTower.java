package dev.ocellus.vlm.model.tower;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.nn.Attention;
import dev.ocellus.vlm.nn.LayerNorm;
import dev.ocellus.vlm.nn.Mlp;
import dev.ocellus.vlm.nn.PatchEmbedding;
import dev.ocellus.vlm.nn.PixelShuffle;
import dev.ocellus.vlm.vision.EncoderGraph;
import org.jspecify.annotations.Nullable;

/**
 * MiniCPM-V 4.6's tower: SigLIP for images of any shape, whose table of positions is spread over
 * each, and behind one of its layers a merger that makes one patch of each square of four. Weights
 * under {@code v.}.
 *
 * <p>The reference is {@code MiniCPMV4_6VisionModel} of transformers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/minicpmv4_6/modeling_minicpmv4_6.py">modeling_minicpmv4_6.py</a>.
 */
public final class MiniCpmTower {
  private static final PixelShuffle SQUARES = new PixelShuffle(2);
  private static final int MEMBERS = 4;

  /** Attention within each square, then a feed-forward block beside the mean of its members. */
  private record Merger(LayerNorm ln1, Attention attention, LayerNorm norm, Mlp mlp) {
    static Merger of(TowerConfig c, Weights w) {
      long n = c.nEmbd();
      return new Merger(
          LayerNorm.of(w.at("ln1"), n, c.eps()),
          Attention.of(w, n, c.nHead()),
          LayerNorm.of(w.at("ds_ln"), MEMBERS * n, c.eps()),
          Mlp.projector(w.at("ds_ffn_up"), w.at("ds_ffn_down"), MEMBERS * n, Activation.GELU_TANH));
    }

    /** From [nEmbd, patches, n] to [nEmbd, patches / 4, n]. */
    Tensor forward(Tensor x, int gridX, int gridY) {
      long nEmbd = x.size(0);
      long nSquares = x.size(1) / MEMBERS;
      long n = x.size(2);
      Tensor squares = SQUARES.forward(x, gridX, gridY).reshape(nEmbd, MEMBERS, nSquares * n);
      squares = squares.add(attention.forward(ln1.forward(squares)));
      Tensor mean = squares.permute(1, 0, 2, 3).contiguous().meanRows().reshape(nEmbd, nSquares, n);
      Tensor flat = squares.reshape(MEMBERS * nEmbd, nSquares, n);
      return mlp.forward(norm.forward(flat)).add(mean);
    }
  }

  private final PatchEmbedding patches;
  private final Tensor positions;
  private final int side;
  private final PreNormLayers layers;
  private final int mergedAfter;
  private final @Nullable Merger merger;
  private final LayerNorm postNorm;

  private MiniCpmTower(TowerConfig c, Weights w, int mergedAfter) {
    this.mergedAfter = mergedAfter;
    side = (int) Math.sqrt(w.outputs("position_embd.weight"));
    patches = PatchEmbedding.of(w.at("patch_embd"), c.patchSize(), c.nEmbd());
    positions = w.f32("position_embd.weight", c.nEmbd(), (long) side * side);
    layers = new PreNormLayers(c.layers(), w);
    merger = mergedAfter > 0 ? Merger.of(c, w.at("vit_merger")) : null;
    postNorm = LayerNorm.of(w.at("post_ln"), c.nEmbd(), c.eps());
  }

  /**
   * Binds the weights; the side of the table follows from its shape.
   *
   * @param c whose image size does not count
   * @param mergedAfter layers in front of the merger; 0 where there is none
   */
  public static MiniCpmTower of(TowerConfig c, Weights w, int mergedAfter) {
    return new MiniCpmTower(c, w, mergedAfter);
  }

  /** Patches of a square's side that became one. */
  public int factor() {
    return merger == null ? 1 : 2;
  }

  /**
   * From pixels [width, height, 3, n], sides of a multiple of four patches, to normed states
   * [nEmbd, patches line by line, n].
   */
  public Tensor forward(EncoderGraph graph) {
    Tensor x = patches.forward(graph.pixels());
    int[] places = SiglipTower.spread(side, graph.gridX(), graph.gridY());
    Tensor indices = graph.indices("positions", places, (long) side * side);
    x = x.add(positions.inGraphOf(x).getRows(indices)).named("embeddings");
    x = layers.forward(x, 0, mergedAfter);
    if (merger != null) {
      x = merger.forward(x, graph.gridX(), graph.gridY()).named("merged");
    }
    x = layers.forward(x, mergedAfter, layers.size());
    return postNorm.forward(x).named("vision.last_hidden");
  }
}
