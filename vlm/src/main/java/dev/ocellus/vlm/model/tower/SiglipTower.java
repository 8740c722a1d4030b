package dev.ocellus.vlm.model.tower;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.nn.LayerNorm;
import dev.ocellus.vlm.nn.PatchEmbedding;

/**
 * SigLIP's vision transformer (arXiv:2303.15343) without its pooling: no CLS token, no norm in
 * front of the layers. Weights under {@code v.}.
 *
 * <p>The reference is {@code SiglipVisionTransformer} of transformers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/siglip/modeling_siglip.py">modeling_siglip.py</a>.
 */
public final class SiglipTower {
  private static final float EPS = 1e-6f;

  /**
   * The tower with the norm that SigLIP has behind it, which gives {@code last_hidden_state} of the
   * reference. Weights under {@code v.}, the norm's {@code v.post_ln}.
   */
  public record Normed(SiglipTower tower, LayerNorm postNorm) {
    public static Normed of(TowerConfig c, Weights w) {
      return new Normed(new SiglipTower(c, w), LayerNorm.of(w.at("post_ln"), c.nEmbd(), c.eps()));
    }

    /** From pixels [imageSize, imageSize, 3, n] to [nEmbd, patches row by row, n]. */
    public Tensor forward(Tensor pixels) {
      return normed(tower.forward(pixels));
    }

    /** As {@link SiglipTower#forward(Tensor, Tensor)}. */
    public Tensor forward(Tensor pixels, Tensor places) {
      return normed(tower.forward(pixels, places));
    }

    private Tensor normed(HiddenStates states) {
      return postNorm.forward(states.last()).named("vision.last_hidden");
    }
  }

  private final PatchEmbedding patches;
  private final Tensor positions;
  private final PreNormLayers layers;

  /**
   * @param c whose {@code nLayer} layers are bound and computed; those behind them are left out
   */
  public SiglipTower(TowerConfig c, Weights w) {
    patches = PatchEmbedding.of(w.at("patch_embd"), c.patchSize(), c.nEmbd());
    positions = w.f32("position_embd.weight", c.nEmbd(), c.nPatches());
    layers = new PreNormLayers(c.layers(), w);
  }

  /** The sizes of a SigLIP tower; GELU's tanh form unless the file asks for another activation. */
  public static TowerConfig config(GgufMetadata metadata) {
    return config(metadata, Activation.GELU_TANH);
  }

  /**
   * The sizes of a SigLIP tower.
   *
   * @param activation unless the file asks for another one
   */
  public static TowerConfig config(GgufMetadata metadata, Activation activation) {
    return TowerConfig.of(metadata, EPS, activation);
  }

  /** From pixels [imageSize, imageSize, 3, n] to states of [nEmbd, patches row by row, n]. */
  public HiddenStates forward(Tensor pixels) {
    return layers.forward(patches.forward(pixels).add(positions).named("embeddings"));
  }

  /**
   * Rows of a square table for the patches of a grid over which it is spread.
   *
   * @param side of the table
   */
  public static int[] spread(int side, int gridX, int gridY) {
    int[] places = new int[gridX * gridY];
    for (int i = 0; i < places.length; i++) {
      long line = (long) side * (i / gridX) / gridY;
      long column = (long) side * (i % gridX) / gridX;
      places[i] = (int) (line * side + column);
    }
    return places;
  }

  /**
   * From pixels of another size.
   *
   * @param places for every patch the row of the position table that is its own
   */
  public HiddenStates forward(Tensor pixels, Tensor places) {
    Tensor x = patches.forward(pixels);
    return layers.forward(x.add(positions.inGraphOf(x).getRows(places)).named("embeddings"));
  }
}
