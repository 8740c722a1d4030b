package dev.ocellus.vlm.model.tower;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.nn.Attention;
import dev.ocellus.vlm.nn.LayerNorm;
import dev.ocellus.vlm.nn.Mlp;
import dev.ocellus.vlm.nn.PatchEmbedding;
import dev.ocellus.vlm.vision.ConfigReader;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * SigLIP's vision transformer (arXiv:2303.15343) without its pooling: no class row, no norm in
 * front, one behind. Weights under {@code v.}.
 *
 * <p>The reference is {@code SiglipVisionTransformer} of transformers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/siglip/modeling_siglip.py">modeling_siglip.py</a>.
 */
public final class SiglipTower {
  /**
   * @param imageSize pixels of a side
   * @param patchSize pixels of a patch's side
   * @param nEmbd width
   * @param nFf width between the two maps of a feed-forward block
   * @param nHead attention heads
   * @param nLayer layers
   * @param eps of the layer norms
   * @param activation of the feed-forward blocks
   */
  public record Config(
      int imageSize,
      int patchSize,
      int nEmbd,
      int nFf,
      int nHead,
      int nLayer,
      float eps,
      Activation activation) {

    public static Config of(GgufMetadata metadata) {
      var c = new ConfigReader(metadata, "clip.vision.");
      int nEmbd = c.integer("embedding_length", 1, 1 << 16);
      int nHead = c.integer("attention.head_count", 1, nEmbd);
      if (nEmbd % nHead != 0) {
        throw c.invalid("attention.head_count", "a divisor of " + nEmbd, Integer.toString(nHead));
      }
      int imageSize = c.integer("image_size", 1, 1 << 12);
      return new Config(
          imageSize,
          c.integer("patch_size", 1, imageSize),
          nEmbd,
          c.integer("feed_forward_length", 1, 1 << 18),
          nHead,
          c.integer("block_count", 1, 1024),
          c.positive("attention.layer_norm_epsilon", 1e-6f),
          c.activation(Activation.GELU_TANH));
    }

    /** Patches along a side; what does not fill a patch is left out. */
    public int grid() {
      return imageSize / patchSize;
    }

    public int nPatches() {
      return grid() * grid();
    }

    /** The same tower with a table of positions for another size. */
    public Config withImageSize(int pixels) {
      return new Config(pixels, patchSize, nEmbd, nFf, nHead, nLayer, eps, activation);
    }

    /** The same tower with only its first layers. */
    public Config withLayers(int n) {
      return new Config(imageSize, patchSize, nEmbd, nFf, nHead, n, eps, activation);
    }
  }

  private record Block(LayerNorm ln1, Attention attention, LayerNorm ln2, Mlp mlp) {
    public static Block of(Config c, Weights w) {
      return new Block(
          LayerNorm.of(w.at("ln1"), c.nEmbd, c.eps),
          Attention.of(w, c.nEmbd, c.nHead),
          LayerNorm.of(w.at("ln2"), c.nEmbd, c.eps),
          Mlp.of(w, c.nEmbd, c.nFf, c.activation));
    }

    Tensor forward(Tensor x) {
      x = x.add(attention.forward(ln1.forward(x)));
      return x.add(mlp.forward(ln2.forward(x)));
    }
  }

  private final PatchEmbedding patches;
  private final Tensor positionEmbd;
  private final List<Block> blocks = new ArrayList<>();
  private final @Nullable LayerNorm postLn;

  public SiglipTower(Config c, Weights w) {
    this(c, w, LayerNorm.of(w.at("post_ln"), c.nEmbd, c.eps));
  }

  private SiglipTower(Config c, Weights w, @Nullable LayerNorm postLn) {
    patches = PatchEmbedding.of(w.at("patch_embd"), c.patchSize, c.nEmbd);
    positionEmbd = w.f32("position_embd.weight", c.nEmbd, (long) c.grid() * c.grid());
    for (int i = 0; i < c.nLayer; i++) {
      blocks.add(Block.of(c, w.at("blk").at(i)));
    }
    this.postLn = postLn;
  }

  /** The hidden state of the last layer as it is, without the norm that SigLIP has behind it. */
  public static SiglipTower withoutPostNorm(Config c, Weights w) {
    return new SiglipTower(c, w, null);
  }

  /** From pixels [imageSize, imageSize, 3, n] to [nEmbd, patches row by row, n]. */
  public Tensor forward(Tensor pixels) {
    return layers(patches.forward(pixels).add(positionEmbd));
  }

  /**
   * From pixels of another size.
   *
   * @param positions number of its position for every patch
   */
  public Tensor forward(Tensor pixels, Tensor positions) {
    Tensor x = patches.forward(pixels);
    return layers(x.add(positionEmbd.inGraphOf(x).getRows(positions)));
  }

  private Tensor layers(Tensor x) {
    x = x.named("embeddings");
    for (int i = 0; i < blocks.size(); i++) {
      x = blocks.get(i).forward(x).named("layer_" + (i + 1));
    }
    return (postLn == null ? x : postLn.forward(x)).named("vision.last_hidden");
  }
}
