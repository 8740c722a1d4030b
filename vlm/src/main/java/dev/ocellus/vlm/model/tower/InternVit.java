package dev.ocellus.vlm.model.tower;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.nn.Attention;
import dev.ocellus.vlm.nn.LayerNorm;
import dev.ocellus.vlm.nn.Linear;
import dev.ocellus.vlm.nn.Mlp;
import dev.ocellus.vlm.nn.PatchEmbedding;
import dev.ocellus.vlm.nn.RmsNorm;
import dev.ocellus.vlm.vision.ConfigReader;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * InternVL's vision transformer (arXiv:2312.14238), of which there are two: InternViT-300M, and
 * InternViT-6B with root mean square norms, also of queries and keys. Weights under {@code v.}.
 *
 * <p>Files do not say which one it is; the 6B has {@code attn_q_norm} tensors. llama.cpp knows it
 * by its size (width 3200, 45 layers).
 *
 * <p>The reference is {@code InternVLVisionModel} of transformers with {@code norm_type} and {@code
 * use_qk_norm}: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/internvl/modeling_internvl.py">modeling_internvl.py</a>.
 * The class embedding comes first, so row 0 of the position table belongs to it.
 */
public final class InternVit {
  /**
   * @param imageSize pixels of a tile's side
   * @param patchSize pixels of a patch's side
   * @param nEmbd width
   * @param nFf width between the two maps of a feed-forward block
   * @param nHead attention heads
   * @param nLayer layers
   * @param eps of the norms
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
          c.activation(metadata.bool("clip.use_silu", false) ? Activation.SILU : Activation.GELU));
    }

    /** Patches along a tile's side. */
    public int grid() {
      return imageSize / patchSize;
    }

    private Mlp mlp(Weights w) {
      return new Mlp(
          Linear.of(w.at("ffn_up"), nEmbd, nFf),
          activation,
          Linear.of(w.at("ffn_down"), nFf, nEmbd));
    }
  }

  /** A layer whose two halves are scaled by channel before they are added. */
  private sealed interface Block {
    public Tensor forward(Tensor x);
  }

  /** InternViT-300M. */
  private record SmallBlock(
      LayerNorm ln1, Attention attention, Tensor ls1, LayerNorm ln2, Mlp mlp, Tensor ls2)
      implements Block {
    public static SmallBlock of(Config c, Weights w) {
      return new SmallBlock(
          LayerNorm.of(w.at("ln1"), c.nEmbd, c.eps),
          Attention.of(w, c.nEmbd, c.nHead),
          w.f32("ls1.weight", c.nEmbd),
          LayerNorm.of(w.at("ln2"), c.nEmbd, c.eps),
          c.mlp(w),
          w.f32("ls2.weight", c.nEmbd));
    }

    @Override
    public Tensor forward(Tensor x) {
      x = x.add(attention.forward(ln1.forward(x)).mul(ls1));
      return x.add(mlp.forward(ln2.forward(x)).mul(ls2));
    }
  }

  /** InternViT-6B. */
  private record LargeBlock(
      RmsNorm norm1, Attention attention, Tensor ls1, RmsNorm norm2, Mlp mlp, Tensor ls2)
      implements Block {
    public static LargeBlock of(Config c, Weights w) {
      return new LargeBlock(
          RmsNorm.of(w.at("ln1"), c.nEmbd, c.eps),
          Attention.normed(w, c.nEmbd, c.nHead, c.eps),
          w.f32("ls1.weight", c.nEmbd),
          RmsNorm.of(w.at("ln2"), c.nEmbd, c.eps),
          c.mlp(w),
          w.f32("ls2.weight", c.nEmbd));
    }

    @Override
    public Tensor forward(Tensor x) {
      x = x.add(attention.forward(norm1.forward(x)).mul(ls1));
      return x.add(mlp.forward(norm2.forward(x)).mul(ls2));
    }
  }

  private final Config config;
  private final PatchEmbedding patches;
  private final Tensor classEmbd;
  private final Tensor positionEmbd;
  private final List<Block> blocks = new ArrayList<>();
  private final @Nullable LayerNorm postLn;

  public InternVit(Config c, Weights w) {
    config = c;
    patches = PatchEmbedding.of(w.at("patch_embd"), c.patchSize, c.nEmbd);
    classEmbd = w.f32("class_embd", c.nEmbd);
    positionEmbd = w.f32("position_embd.weight", c.nEmbd, 1L + c.grid() * c.grid());
    boolean large = w.at("blk").at(0).has("attn_q_norm.weight");
    for (int i = 0; i < c.nLayer; i++) {
      Weights block = w.at("blk").at(i);
      blocks.add(large ? LargeBlock.of(c, block) : SmallBlock.of(c, block));
    }
    // none in the published models, whose configuration says use_mean_pooling
    postLn = w.has("post_ln.weight") ? LayerNorm.of(w.at("post_ln"), c.nEmbd, c.eps) : null;
  }

  /** From pixels [imageSize, imageSize, 3, n] to [nEmbd, 1 + nPatches, n], the class row first. */
  public Tensor forward(Tensor pixels) {
    Tensor x = patches.forward(pixels); // [nEmbd, nPatches, n]
    Tensor first = classEmbd.inGraphOf(x).repeat(config.nEmbd, 1, x.size(2));
    x = first.concat(x, 1).add(positionEmbd).named("embeddings");
    for (int i = 0; i < blocks.size(); i++) {
      x = blocks.get(i).forward(x).named("layer_" + (i + 1));
    }
    return (postLn == null ? x : postLn.forward(x)).named("vision.last_hidden");
  }
}
