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
import dev.ocellus.vlm.vision.ConfigReader;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * CLIP's vision transformer (arXiv:2103.00020) without its pooling, as the LLaVA family uses it, or
 * SigLIP's (arXiv:2303.15343), which has neither a class row nor a norm in front, and GELU's tanh
 * form. Weights under {@code v.}.
 *
 * <p>The reference is {@code CLIPVisionTransformer} of transformers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.0.0/src/transformers/models/clip/modeling_clip.py">modeling_clip.py</a>.
 * The class embedding comes first, so row 0 of the position table belongs to it. Files with {@code
 * v.class_embd} have a CLIP tower.
 */
public final class ClipTower {
  /**
   * @param imageSize pixels of a side
   * @param patchSize pixels of a patch's side
   * @param nEmbd width
   * @param nFf width between the two maps of a feed-forward block
   * @param nHead attention heads
   * @param nLayer layers that are computed
   * @param eps of the layer norms
   * @param activation of the feed-forward blocks
   * @param featureLayers hidden states that are given out, joined along their width; state i is
   *     what comes out of i layers
   */
  public record Config(
      int imageSize,
      int patchSize,
      int nEmbd,
      int nFf,
      int nHead,
      int nLayer,
      float eps,
      Activation activation,
      List<Integer> featureLayers) {

    public static Config of(GgufMetadata metadata) {
      var c = new ConfigReader(metadata, "clip.vision.");
      int nBlock = c.integer("block_count", 1, 1024);
      int nEmbd = c.integer("embedding_length", 1, 1 << 16);
      int nHead = c.integer("attention.head_count", 1, nEmbd);
      int imageSize = c.integer("image_size", 1, 1 << 14);
      int patchSize = c.integer("patch_size", 1, imageSize);
      if (nEmbd % nHead != 0) {
        throw c.invalid("attention.head_count", "a divisor of " + nEmbd, Integer.toString(nHead));
      }
      long[] layers =
          metadata
              .findIntegers("clip.vision.feature_layer")
              .orElse(new long[] {nBlock}); // older converters drop the unused layers instead
      if (layers.length == 0 || Arrays.stream(layers).anyMatch(i -> i < 0 || i > nBlock)) {
        throw c.invalid("feature_layer", "numbers from 0 to " + nBlock, Arrays.toString(layers));
      }
      return new Config(
          imageSize,
          patchSize,
          nEmbd,
          c.integer("feed_forward_length", 1, 1 << 18),
          nHead,
          (int) Arrays.stream(layers).max().getAsLong(),
          c.positive("attention.layer_norm_epsilon", 1e-5f),
          c.activation(activation(metadata)),
          Arrays.stream(layers).mapToObj(i -> (int) i).toList());
    }

    private static Activation activation(GgufMetadata metadata) {
      if (metadata.bool("clip.use_gelu", false)) {
        return Activation.GELU;
      }
      return metadata.bool("clip.use_silu", false) ? Activation.SILU : Activation.QUICK_GELU;
    }

    /** Patches along a side; what does not fill a patch is left out. */
    int grid() {
      return imageSize / patchSize;
    }

    public int nPatches() {
      return grid() * grid();
    }

    private Config withActivation(Activation other) {
      return new Config(imageSize, patchSize, nEmbd, nFf, nHead, nLayer, eps, other, featureLayers);
    }

    /** Width of what the tower gives out. */
    public int nOut() {
      return nEmbd * featureLayers.size();
    }
  }

  private record Block(LayerNorm ln1, Attention attention, LayerNorm ln2, Mlp mlp) {
    public static Block of(Config c, Weights w) {
      return new Block(
          LayerNorm.of(w.at("ln1"), c.nEmbd, c.eps),
          Attention.of(w, c.nEmbd, c.nHead),
          LayerNorm.of(w.at("ln2"), c.nEmbd, c.eps),
          mlp(c, w));
    }

    /**
     * LLaVA's converter calls the first map {@code ffn_down}; later ones call it {@code ffn_up}.
     */
    private static Mlp mlp(Config c, Weights w) {
      boolean legacy = w.has("ffn_down.weight") && w.shape("ffn_down.weight")[0] == c.nEmbd;
      String first = legacy && c.nEmbd != c.nFf ? "ffn_down" : "ffn_up";
      String second = first.equals("ffn_up") ? "ffn_down" : "ffn_up";
      return new Mlp(
          Linear.of(w.at(first), c.nEmbd, c.nFf),
          c.activation,
          Linear.of(w.at(second), c.nFf, c.nEmbd));
    }

    public Tensor forward(Tensor x) {
      x = x.add(attention.forward(ln1.forward(x)));
      return x.add(mlp.forward(ln2.forward(x)));
    }
  }

  private final Config config;
  private final PatchEmbedding patches;
  private final @Nullable Tensor classEmbd;
  private final Tensor positionEmbd;
  private final @Nullable LayerNorm preLn;
  private final List<Block> blocks;

  public ClipTower(GgufMetadata metadata, Config said, Weights w) {
    boolean clip = w.has("class_embd");
    // clip.use_gelu of SigLIP's files is what their script happens to write
    Config c =
        clip
            ? said
            : said.withActivation(
                new ConfigReader(metadata, "clip.vision.").activation(Activation.GELU_TANH));
    config = c;
    patches = PatchEmbedding.of(w.at("patch_embd"), c.patchSize, c.nEmbd);
    classEmbd = clip ? w.f32("class_embd", c.nEmbd) : null;
    positionEmbd = w.f32("position_embd.weight", c.nEmbd, c.nPatches() + (clip ? 1 : 0));
    preLn = clip ? LayerNorm.of(w.at("pre_ln"), c.nEmbd, c.eps) : null;
    blocks = new ArrayList<>();
    for (int i = 0; i < c.nLayer; i++) {
      blocks.add(Block.of(c, w.at("blk").at(i)));
    }
  }

  /** Rows of the class, which stand in front of those of the patches: 1, or 0 for SigLIP. */
  public int nClass() {
    return classEmbd == null ? 0 : 1;
  }

  /**
   * From pixels [imageSize, imageSize, 3, n] to [nOut, nClass + nPatches, n], the class row first.
   */
  public Tensor forward(Tensor pixels) {
    Tensor x = patches.forward(pixels);
    if (classEmbd != null) {
      x = classEmbd.inGraphOf(x).repeat(config.nEmbd, 1, x.size(2)).concat(x, 1);
    }
    x = x.add(positionEmbd).named("embeddings");
    if (preLn != null) {
      x = preLn.forward(x).named("pre_ln");
    }
    List<Tensor> states = new ArrayList<>();
    states.add(x);
    for (int i = 0; i < blocks.size(); i++) {
      x = blocks.get(i).forward(x).named("layer_" + (i + 1));
      states.add(x);
    }
    Tensor out = states.get(config.featureLayers.getFirst());
    for (int i : config.featureLayers.subList(1, config.featureLayers.size())) {
      out = out.concat(states.get(i), 0);
    }
    return out.named("vision.selected");
  }
}
