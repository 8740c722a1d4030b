package dev.ocellus.vlm.model.tower;

import dev.ocellus.ggml.Interpolation;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.vlm.nn.LayerNorm;
import dev.ocellus.vlm.nn.PatchEmbedding;
import dev.ocellus.vlm.vision.EncoderGraph;

/**
 * SigLIP 2's vision transformer for images of any shape (arXiv:2502.14786, NaFlex): a square table
 * of positions is resized to the patches of each image. An image is computed by itself, so there is
 * no padding to hide. Weights under {@code v.}, the table's {@code v.position_embd.weight}.
 *
 * <p>The reference is {@code Siglip2VisionTransformer} of transformers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/siglip2/modeling_siglip2.py">modeling_siglip2.py</a>.
 */
public final class NaflexTower {
  private final PatchEmbedding patches;
  private final ResizedTable positions;
  private final PreNormLayers layers;
  private final LayerNorm postNorm;

  private NaflexTower(TowerConfig c, Weights w) {
    patches = PatchEmbedding.of(w.at("patch_embd"), c.patchSize(), c.nEmbd());
    positions = ResizedTable.of(w.at("position_embd"), c.nEmbd(), Interpolation.BILINEAR_ANTIALIAS);
    layers = new PreNormLayers(c.layers(), w);
    postNorm = LayerNorm.of(w.at("post_ln"), c.nEmbd(), c.eps());
  }

  /**
   * Binds the weights; the side of the table follows from its shape.
   *
   * @param c whose image size does not count
   */
  public static NaflexTower of(TowerConfig c, Weights w) {
    return new NaflexTower(c, w);
  }

  /** From pixels [width, height, 3, n] to normed states of [nEmbd, patches row by row, n]. */
  public Tensor forward(EncoderGraph graph) {
    Tensor x = patches.forward(graph.pixels());
    x = x.add(positions.forward(x, graph.gridX(), graph.gridY())).named("embeddings");
    return postNorm.forward(layers.forward(x).last()).named("vision.last_hidden");
  }
}
