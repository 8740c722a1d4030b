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
import dev.ocellus.vlm.model.tower.InternVit;
import dev.ocellus.vlm.model.tower.QLlama;
import dev.ocellus.vlm.model.tower.TowerConfig;
import dev.ocellus.vlm.nn.AttentionMask;
import dev.ocellus.vlm.nn.MeanAttentionPool;
import dev.ocellus.vlm.nn.Projection;
import dev.ocellus.vlm.tokenizer.TextTokenizer;
import dev.ocellus.vlm.vision.ConfigReader;
import dev.ocellus.vlm.vision.EncoderGraph;
import dev.ocellus.vlm.vision.Tiles;
import org.jspecify.annotations.Nullable;

/**
 * InternVL 1.0 as a dual encoder (arXiv:2312.14238): InternViT-6B and QLLaMA. InternVL-C pools the
 * tower's states; InternVL-G adds what learned queries find in them through QLLaMA, both of length
 * 1. Texts are the same in both: behind {@code clip.text.prefix}, the state of the end token,
 * projected.
 *
 * <p>The reference are {@code InternVL_C} and {@code InternVL_G} of <a
 * href="https://github.com/OpenGVLab/InternVL/blob/v1.0/clip_benchmark/clip_benchmark/models/internvl_huggingface/modeling_internvl.py">modeling_internvl.py</a>.
 */
final class InternVlDual {
  private static final float POOL_EPS = 1e-5f;
  private static final float LENGTH_EPS = 1e-12f;

  /** Where training begins. */
  private static final double LOG_SCALE = Math.log(1 / 0.07);

  private static final int MAX_TOKENS = 1 << 12;

  private InternVlDual() {}

  /** InternVL-C. */
  static DualArchitecture contrastive(GgufMetadata metadata, Weights weights) {
    return model("internvl_c", metadata, weights, false);
  }

  /** InternVL-G. */
  static DualArchitecture generative(GgufMetadata metadata, Weights weights) {
    return model("internvl_g", metadata, weights, true);
  }

  private static DualArchitecture model(
      String name, GgufMetadata metadata, Weights weights, boolean withQueries) {
    TowerConfig c = InternVit.config(metadata);
    Weights t = weights.at("t");
    QLlama language = QLlama.of(metadata, t, c.nEmbd());
    int dimension = weights.outputs("text_projection.weight");
    int nHead = new ConfigReader(metadata, "clip.").integer("pool.head_count", 1, 1 << 10);
    var tower = new InternVit(c, weights.at("v"));
    var pool =
        MeanAttentionPool.of(weights.at("v").at("pool"), c.nEmbd(), nHead, dimension, POOL_EPS);
    SquareFit fit =
        SquareFit.of(
            metadata, c.imageSize(), c.patchSize(), SquareFit.Kind.CROP, Normalize.IMAGENET);
    Queries queries = withQueries ? Queries.of(t, language, nHead, dimension) : null;
    Similarity similarity = DualConfig.similarity(metadata, LOG_SCALE, Similarity.Rule.SOFTMAX);
    return new DualArchitecture(
        name,
        dimension,
        new Images(tower, pool, queries, fit),
        Texts.of(metadata, weights, language, dimension),
        similarity);
  }

  /** Learned queries that QLLaMA leads to an image, and what pools them. */
  private record Queries(Tensor queries, QLlama language, MeanAttentionPool pool) {
    static Queries of(Weights t, QLlama language, int nHead, int dimension) {
      int width = language.width();
      return new Queries(
          t.f32("query", width, t.outputs("query")),
          language,
          MeanAttentionPool.of(t.at("pool"), width, nHead, dimension, POOL_EPS));
    }

    Tensor forward(EncoderGraph graph, Tensor states) {
      Tensor all =
          queries.inGraphOf(states).repeat(queries.size(0), queries.size(1), states.size(2));
      return pool.forward(language.forward(graph::table, all, null, states));
    }
  }

  private record Images(
      InternVit tower, MeanAttentionPool pool, @Nullable Queries queries, SquareFit fit)
      implements ImageEmbedder {
    @Override
    public Tiles prepare(RgbImage image) {
      return fit.tile(image);
    }

    @Override
    public Tensor forward(EncoderGraph graph) {
      Tensor states = tower.forward(graph.pixels());
      Tensor pooled = pool.forward(states);
      if (queries != null) {
        Tensor found = queries.forward(graph, states);
        pooled = found.l2Norm(LENGTH_EPS).add(pooled.l2Norm(LENGTH_EPS));
      }
      return pooled.named("image.features");
    }
  }

  private record Texts(
      QLlama language,
      Projection projection,
      TextTokenizer tokenizer,
      String prefix,
      int contextLength)
      implements TextEmbedder {
    /** Graphs are for lengths that are multiples of it, so that few of them serve all texts. */
    private static final int LENGTH_STEP = 8;

    static Texts of(GgufMetadata metadata, Weights weights, QLlama language, int dimension) {
      TextTokenizer tokenizer = DualTokenizers.of(metadata);
      DualConfig.requireRows(tokenizer, language.nTokens());
      var c = new ConfigReader(metadata, "clip.text.");
      return new Texts(
          language,
          Projection.of(weights.at("text_projection"), language.width(), dimension),
          tokenizer,
          metadata.string("clip.text.prefix", ""),
          c.integer("context_length", 2, MAX_TOKENS));
    }

    @Override
    public int nTokens() {
      return language.nTokens();
    }

    @Override
    public TextTokens prepare(String text) {
      int[] words = tokenizer.encode(prefix + text);
      int n = Math.min(words.length, contextLength - 2);
      int[] ids = new int[n + 2];
      ids[0] = tokenizer.bos();
      System.arraycopy(words, 0, ids, 1, n);
      ids[n + 1] = tokenizer.eos();
      int padded = Math.min(Math.ceilDiv(ids.length, LENGTH_STEP) * LENGTH_STEP, contextLength);
      return new TextTokens(ids, padded, 0, ids.length - 1, words.length - n);
    }

    @Override
    public Tensor forward(
        ModelGraph graph, Tensor ids, Tensor pooled, int n, @Nullable AttentionMask hidden) {
      var causal = AttentionMask.of(graph.table("causal", AttentionMask.causal(n), n, n));
      Tensor x = language.embed(ids).reshape(language.width(), n, ids.size(0) / n);
      x = language.forward(graph::table, x, causal, null).named("text.last_hidden");
      Tensor ends = x.reshape(x.size(0), ids.size(0)).getRows(pooled).named("text.pooled");
      return projection.forward(ends).named("text.features");
    }
  }
}
