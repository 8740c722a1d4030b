package dev.ocellus.vlm.model.tower;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.nn.LayerNorm;
import dev.ocellus.vlm.nn.PatchEmbedding;
import dev.ocellus.vlm.nn.SpeakingRow;
import org.jspecify.annotations.Nullable;

/**
 * CLIP's vision transformer (arXiv:2103.00020): a CLS token in front of the patches, and a norm in
 * front of the layers. Weights under {@code v.}.
 *
 * <p>The reference is {@code CLIPVisionTransformer} of transformers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.0.0/src/transformers/models/clip/modeling_clip.py">modeling_clip.py</a>.
 * The CLS token comes first, so row 0 of the position table belongs to it.
 */
public final class ClipTower {
  private static final float EPS = 1e-5f;

  /** Which states of the last layer speak for an image, and where the norm behind them stands. */
  public enum Pooling {
    /** The CLS token, normed. */
    CLS,
    /** The mean of the normed patches. */
    MEAN,
    /** The mean of the patches, normed. */
    MEAN_THEN_NORM
  }

  /**
   * The tower with the norm that CLIP has behind it, for models that embed whole images. Weights
   * under {@code v.}, the norm's {@code v.post_ln}.
   */
  public record Pooled(ClipTower tower, LayerNorm postNorm, Pooling pooling) {
    /**
     * @throws dev.ocellus.ggml.MissingWeightException if a weight is missing, such as those of the
     *     norm in files of LLaVA
     */
    public static Pooled of(ClipTower tower, TowerConfig c, Weights w, Pooling pooling) {
      return new Pooled(tower, LayerNorm.of(w.at("post_ln"), c.nEmbd(), c.eps()), pooling);
    }

    /**
     * From pixels [imageSize, imageSize, 3, n] to the pooled states, [nEmbd, n].
     *
     * @param keepsNamed whether {@code vision.last_hidden} of all patches is wanted, too
     */
    public Tensor forward(Tensor pixels, boolean keepsNamed) {
      Tensor x = tower.embed(pixels);
      if (pooling == Pooling.CLS && !keepsNamed) {
        return named(postNorm.forward(tower.layers.forward(x, null, SpeakingRow.first())));
      }
      Tensor last = tower.layers.forward(x).last().named("vision.last_hidden");
      return named(
          switch (pooling) {
            case CLS -> postNorm.forward(SpeakingRow.first().of(last));
            case MEAN -> mean(postNorm.forward(patches(last)));
            case MEAN_THEN_NORM -> postNorm.forward(mean(patches(last)));
          });
    }

    private static Tensor named(Tensor pooled) {
      return pooled.reshape(pooled.size(0), pooled.size(2)).named("vision.pooled");
    }

    private static Tensor patches(Tensor x) {
      return x.slice(new long[] {0, 1}, x.size(0), x.size(1) - 1, x.size(2)).contiguous();
    }

    /** Of all rows: [nEmbd, n, batch] to [nEmbd, 1, batch]. */
    private static Tensor mean(Tensor x) {
      return x.transpose().contiguous().meanRows().reshape(x.size(0), 1, x.size(2));
    }
  }

  private final PatchEmbedding patches;
  private final Tensor clsToken;
  private final Tensor positions;
  private final @Nullable LayerNorm preNorm;
  private final PreNormLayers layers;

  /**
   * @param c whose {@code nLayer} layers are bound and computed; those behind them are left out
   */
  public ClipTower(TowerConfig c, Weights w) {
    this(c, w, true);
  }

  /**
   * The same of a variant that may have no norm in front of its layers.
   *
   * @param hasPreNorm whether it has {@code pre_ln}
   */
  public ClipTower(TowerConfig c, Weights w, boolean hasPreNorm) {
    patches = PatchEmbedding.of(w.at("patch_embd"), c.patchSize(), c.nEmbd());
    clsToken = w.f32("class_embd", c.nEmbd());
    positions = w.f32("position_embd.weight", c.nEmbd(), 1L + c.nPatches());
    preNorm = hasPreNorm ? LayerNorm.of(w.at("pre_ln"), c.nEmbd(), c.eps()) : null;
    layers = new PreNormLayers(c.layers(), w);
  }

  /** Whether a file's tower is CLIP's: SigLIP's has no CLS token. */
  public static boolean isIn(Weights w) {
    return w.has("class_embd");
  }

  /** The sizes of a CLIP tower; QuickGELU unless the file asks for another activation. */
  public static TowerConfig config(GgufMetadata metadata) {
    return TowerConfig.of(
        metadata, EPS, TowerConfig.declaredActivation(metadata, Activation.QUICK_GELU));
  }

  /**
   * From pixels [imageSize, imageSize, 3, n] to states of [nEmbd, 1 + nPatches, n], the CLS token
   * first.
   */
  public HiddenStates forward(Tensor pixels) {
    return layers.forward(embed(pixels));
  }

  /** What the layers see, of the same shape. */
  private Tensor embed(Tensor pixels) {
    Tensor x = patches.forward(pixels);
    x = clsToken.inGraphOf(x).repeat(clsToken.size(0), 1, x.size(2)).concat(x, 1);
    x = x.add(positions).named("embeddings");
    return preNorm == null ? x : preNorm.forward(x).named("pre_ln");
  }
}
