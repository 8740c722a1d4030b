package dev.ocellus.vlm.model.tower;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.vlm.nn.LayerNorm;
import dev.ocellus.vlm.nn.PatchEmbedding;

/**
 * OpenCLIP's ViT-bigG as Qwen-VL took it (arXiv:2308.12966): a norm in front of the layers as CLIP
 * has it, and no CLS token. Weights under {@code v.}.
 */
public final class BigGTower {
  private final PatchEmbedding patches;
  private final Tensor positions;
  private final LayerNorm preNorm;
  private final PreNormLayers layers;

  /** Weights {@code patch_embd}, {@code position_embd.weight} [nEmbd, nPatches], {@code pre_ln}. */
  public BigGTower(TowerConfig c, Weights w) {
    patches = PatchEmbedding.of(w.at("patch_embd"), c.patchSize(), c.nEmbd());
    positions = w.f32("position_embd.weight", c.nEmbd(), c.nPatches());
    preNorm = LayerNorm.of(w.at("pre_ln"), c.nEmbd(), c.eps());
    layers = new PreNormLayers(c.layers(), w);
  }

  /** From pixels [imageSize, imageSize, 3, n] to [nEmbd, patches row by row, n]. */
  public Tensor forward(Tensor pixels) {
    Tensor x = patches.forward(pixels).add(positions).named("embeddings");
    return layers.forward(preNorm.forward(x).named("pre_ln")).last().named("vision.last_hidden");
  }
}
