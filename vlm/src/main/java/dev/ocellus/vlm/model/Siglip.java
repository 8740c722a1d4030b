package dev.ocellus.vlm.model;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.dual.DualArchitecture;
import dev.ocellus.vlm.dual.ImageEmbedder;
import dev.ocellus.vlm.dual.Similarity;
import dev.ocellus.vlm.dual.TextEmbedder;
import dev.ocellus.vlm.dual.TextTokens;
import dev.ocellus.vlm.graph.ModelGraph;
import dev.ocellus.vlm.image.Normalize;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.model.tiling.SquareFit;
import dev.ocellus.vlm.model.tower.SiglipTower;
import dev.ocellus.vlm.model.tower.TextTower;
import dev.ocellus.vlm.model.tower.TowerConfig;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.nn.AttentionMask;
import dev.ocellus.vlm.nn.CrossAttention;
import dev.ocellus.vlm.nn.LayerNorm;
import dev.ocellus.vlm.nn.Mlp;
import dev.ocellus.vlm.nn.Projection;
import dev.ocellus.vlm.tokenizer.SiglipTokenizer;
import dev.ocellus.vlm.vision.EncoderGraph;
import dev.ocellus.vlm.vision.Tiles;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * SigLIP (arXiv:2303.15343) with one size of images: a learned query attends to the patches, and
 * the last of the tokens, which are always as many as the context has, speaks for a text. Each
 * label is right or wrong by itself. Weights under {@code v.}, {@code v.head.} and {@code t.}.
 *
 * <p>The reference is {@code SiglipModel} of transformers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/siglip/modeling_siglip.py">modeling_siglip.py</a>.
 * No published converter fixes the names; those of the heads are ours (docs/gguf.md).
 */
final class Siglip {
  private static final float EPS = 1e-6f;

  /** Where training begins ({@code logit_scale_init} of the paper). */
  private static final double LOG_SCALE = Math.log(10);

  private Siglip() {}

  static DualArchitecture of(GgufMetadata metadata, Weights weights) {
    Images images = Images.of(metadata, weights.at("v"));
    int dimension = images.width;
    Texts texts = Texts.of(metadata, weights.at("t"), dimension);
    Similarity similarity = DualConfig.similarity(metadata, LOG_SCALE, Similarity.Rule.SIGMOID);
    return new DualArchitecture("siglip", dimension, images, texts, similarity);
  }

  private record Images(SiglipTower.Normed tower, PoolingHead head, SquareFit fit, int width)
      implements ImageEmbedder {
    static Images of(GgufMetadata metadata, Weights w) {
      TowerConfig c = SiglipTower.config(metadata);
      return new Images(
          SiglipTower.Normed.of(c, w),
          PoolingHead.of(c, w.at("head")),
          SquareFit.of(
              metadata, c.imageSize(), c.patchSize(), SquareFit.Kind.STRETCH, Normalize.HALF),
          c.nEmbd());
    }

    @Override
    public Tiles prepare(RgbImage image) {
      return fit.tile(image);
    }

    @Override
    public Tensor forward(EncoderGraph graph) {
      return head.forward(tower.forward(graph.pixels())).named("image.features");
    }
  }

  /** A query that attends to all patches, and a feed-forward block behind it. */
  private record PoolingHead(Tensor probe, CrossAttention attention, LayerNorm norm, Mlp mlp) {
    /** A row alone would take other kernels of ggml than several (see {@link Projection}). */
    private static final int COPIES = 2;

    static PoolingHead of(TowerConfig c, Weights w) {
      return new PoolingHead(
          w.f32("probe", c.nEmbd()),
          CrossAttention.of(w, c.nEmbd(), c.nEmbd(), c.nHead()),
          LayerNorm.of(w.at("ln"), c.nEmbd(), c.eps()),
          Mlp.of(w, c.nEmbd(), c.nFf(), c.activation()));
    }

    /** From [nEmbd, nPatches, n] to [nEmbd, n]. */
    Tensor forward(Tensor states) {
      long nEmbd = states.size(0);
      long n = states.size(2);
      Tensor queries = probe.inGraphOf(states).repeat(nEmbd, COPIES, n);
      Tensor x = attention.forward(queries, attention.keysValues(states), null);
      x = x.add(mlp.forward(norm.forward(x)));
      return x.slice(new long[] {}, nEmbd, 1, n).contiguous().reshape(nEmbd, n);
    }
  }

  /**
   * @param masksPadding whether the padding that stands behind a text is hidden from it, which a
   *     processor decides: published ones give the model no mask, those without a word about it do
   */
  private record Texts(
      TextTower tower, Projection head, SiglipTokenizer tokenizer, boolean masksPadding)
      implements TextEmbedder {
    static Texts of(GgufMetadata metadata, Weights w, int dimension) {
      TextTower tower = TextTower.of(metadata, w, EPS, Activation.GELU_TANH);
      SiglipTokenizer tokenizer = SiglipTokenizer.of(metadata);
      DualConfig.requireRows(tokenizer, tower);
      return new Texts(
          tower,
          Projection.of(w.at("head"), tower.width(), dimension),
          tokenizer,
          metadata.bool("clip.text.padding_mask", false));
    }

    @Override
    public int contextLength() {
      return tower.nPositions();
    }

    @Override
    public int nTokens() {
      return tower.nTokens();
    }

    @Override
    public TextTokens prepare(String text) {
      int[] words = tokenizer.encode(text);
      int n = Math.min(words.length, contextLength() - 1);
      boolean ends = n > 0 && words[n - 1] == tokenizer.eos(); // spelled out in the text
      int[] ids = Arrays.copyOf(words, ends ? n : n + 1);
      ids[ids.length - 1] = tokenizer.eos();
      int last = contextLength() - 1;
      return new TextTokens(ids, contextLength(), tokenizer.padding(), last, words.length - n);
    }

    @Override
    public Tensor forward(
        ModelGraph graph, Tensor ids, Tensor pooled, int n, @Nullable AttentionMask padding) {
      Tensor x = tower.forward(graph, ids, n, padding); // [nEmbd, n, batch]
      Tensor last = x.reshape(x.size(0), ids.size(0)).getRows(pooled);
      return head.forward(last).named("text.features");
    }
  }
}
