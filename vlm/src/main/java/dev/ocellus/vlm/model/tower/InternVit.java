package dev.ocellus.vlm.model.tower;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.nn.Attention;
import dev.ocellus.vlm.nn.LayerNorm;
import dev.ocellus.vlm.nn.Mlp;
import dev.ocellus.vlm.nn.PatchEmbedding;
import dev.ocellus.vlm.nn.RmsNorm;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * InternVL's vision transformer (arXiv:2312.14238), of which there are two: InternViT-300M, and
 * InternViT-6B with root mean square norms, also of queries and keys. Weights under {@code v.}.
 *
 * <p>Files do not say which one it is, and configurations may ask for one half of the difference
 * only; the tensors tell: norms without a bias are of root mean squares, and queries and keys are
 * normed where there is {@code attn_q_norm}. llama.cpp knows the 6B by its size (width 3200, 45
 * layers).
 *
 * <p>The reference is {@code InternVLVisionModel} of transformers with {@code norm_type} and {@code
 * use_qk_norm}: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/internvl/modeling_internvl.py">modeling_internvl.py</a>.
 * The CLS token comes first, so row 0 of the position table belongs to it.
 */
public final class InternVit {
  private static final float EPS = 1e-6f;

  /** Before a half of a layer. */
  private interface Norm {
    Tensor forward(Tensor x);
  }

  /**
   * What the first layer says of all.
   *
   * @param centered whether norms are of layers, else of root mean squares
   * @param queries whether queries and keys are normed
   */
  private record Kind(boolean centered, boolean queries) {
    static Kind of(Weights first) {
      return new Kind(first.has("ln1.bias"), first.has("attn_q_norm.weight"));
    }

    Norm norm(TowerConfig c, Weights w) {
      if (!centered) {
        return RmsNorm.of(w, c.nEmbd(), c.eps())::forward;
      }
      if (!w.has("bias")) {
        w.f32("bias", c.nEmbd()); // is refused: without it this would be another norm
      }
      return LayerNorm.of(w, c.nEmbd(), c.eps())::forward;
    }

    Attention attention(TowerConfig c, Weights w) {
      return queries
          ? Attention.normed(w, c.nEmbd(), c.nHead(), c.eps())
          : Attention.of(w, c.nEmbd(), c.nHead());
    }
  }

  /** A layer whose two halves are scaled by channel before they are added. */
  private record Block(
      Norm norm1, Attention attention, Tensor ls1, Norm norm2, Mlp mlp, Tensor ls2) {
    static Block of(TowerConfig c, Kind kind, Weights w) {
      return new Block(
          kind.norm(c, w.at("ln1")),
          kind.attention(c, w),
          w.f32("ls1.weight", c.nEmbd()),
          kind.norm(c, w.at("ln2")),
          Mlp.of(w, c.nEmbd(), c.nFf(), c.activation()),
          w.f32("ls2.weight", c.nEmbd()));
    }

    Tensor forward(Tensor x) {
      x = x.add(attention.forward(norm1.forward(x)).mul(ls1));
      return x.add(mlp.forward(norm2.forward(x)).mul(ls2));
    }
  }

  private final PatchEmbedding patches;
  private final Tensor clsToken;
  private final Tensor positions;
  private final List<Block> blocks = new ArrayList<>();
  private final @Nullable LayerNorm postNorm;

  public InternVit(TowerConfig c, Weights w) {
    patches = PatchEmbedding.of(w.at("patch_embd"), c.patchSize(), c.nEmbd());
    clsToken = w.f32("class_embd", c.nEmbd());
    positions = w.f32("position_embd.weight", c.nEmbd(), 1L + c.nPatches());
    Kind kind = Kind.of(w.at("blk").at(0));
    for (int i = 0; i < c.nLayer(); i++) {
      blocks.add(Block.of(c, kind, w.at("blk").at(i)));
    }
    // none in the published models, whose configuration says use_mean_pooling
    postNorm = w.has("post_ln.weight") ? LayerNorm.of(w.at("post_ln"), c.nEmbd(), c.eps()) : null;
  }

  /** The sizes of the tower; GELU unless the file asks for another activation. */
  public static TowerConfig config(GgufMetadata metadata) {
    boolean silu = metadata.bool("clip.use_silu", false);
    return TowerConfig.of(metadata, EPS, silu ? Activation.SILU : Activation.GELU);
  }

  /** From pixels [imageSize, imageSize, 3, n] to [nEmbd, 1 + nPatches, n], the CLS token first. */
  public Tensor forward(Tensor pixels) {
    Tensor x = patches.forward(pixels); // [nEmbd, nPatches, n]
    Tensor first = clsToken.inGraphOf(x).repeat(clsToken.size(0), 1, x.size(2));
    x = first.concat(x, 1).add(positions).named("embeddings");
    for (int i = 0; i < blocks.size(); i++) {
      x = blocks.get(i).forward(x).named("layer_" + (i + 1));
    }
    return (postNorm == null ? x : postNorm.forward(x)).named("vision.last_hidden");
  }
}
