package dev.ocellus.vlm.model.tower;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.nn.LayerNorm;
import dev.ocellus.vlm.nn.PatchEmbedding;

/**
 * The vision transformer of BLIP (arXiv:2201.12086), and of BLIP-2 and InstructBLIP, which is
 * EVA-CLIP's ViT-g (arXiv:2211.07636): a CLS token in front of the patches, pre-norm layers, and a
 * norm over all that comes out. Weights under {@code v.}.
 *
 * <p>The reference is {@code Blip2VisionModel} of transformers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/blip_2/modeling_blip_2.py">modeling_blip_2.py</a>.
 */
public final class BlipTower {
  private static final float EPS = 1e-6f;

  private final TowerConfig config;
  private final PatchEmbedding patches;
  private final Tensor clsToken;
  private final Tensor positions;
  private final PreNormLayers layers;
  private final LayerNorm postNorm;

  public BlipTower(TowerConfig c, Weights w) {
    config = c;
    patches = PatchEmbedding.of(w.at("patch_embd"), c.patchSize(), c.nEmbd());
    clsToken = w.f32("class_embd", c.nEmbd());
    positions = w.f32("position_embd.weight", c.nEmbd(), 1L + c.nPatches());
    layers = new PreNormLayers(c.layers(), w);
    postNorm = LayerNorm.of(w.at("post_ln"), c.nEmbd(), c.eps());
  }

  /** The sizes of the tower; GELU unless the file asks for another activation. */
  public static TowerConfig config(GgufMetadata metadata) {
    return TowerConfig.of(metadata, EPS, Activation.GELU);
  }

  /** Width of the states. */
  public int width() {
    return config.nEmbd();
  }

  /** States of an image: the CLS token's and those of the patches. */
  public int nStates() {
    return 1 + config.nPatches();
  }

  /** From pixels [imageSize, imageSize, 3, n] to [nEmbd, 1 + nPatches, n], the CLS token first. */
  public Tensor forward(Tensor pixels) {
    Tensor x = patches.forward(pixels);
    x = clsToken.inGraphOf(x).repeat(clsToken.size(0), 1, x.size(2)).concat(x, 1);
    x = layers.forward(x.add(positions).named("embeddings")).last();
    return postNorm.forward(x).named("vision.last_hidden");
  }
}
