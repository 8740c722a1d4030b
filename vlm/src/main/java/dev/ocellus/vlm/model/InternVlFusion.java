package dev.ocellus.vlm.model;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.fusion.CaptionArchitecture;
import dev.ocellus.vlm.fusion.MatchArchitecture;
import dev.ocellus.vlm.fusion.MatchHeads;
import dev.ocellus.vlm.graph.ModelGraph;
import dev.ocellus.vlm.model.text.QLlamaDecoder;
import dev.ocellus.vlm.model.tower.QLlama;
import dev.ocellus.vlm.nn.Projection;
import java.util.stream.IntStream;

/**
 * InternVL-G (arXiv:2312.14238) where texts and images meet: it captions ({@link QLlamaDecoder}),
 * and says whether an image and a text match. The file is that of {@link InternVlDual}.
 *
 * <p>The reference for matching is {@code InternVLModel.forward} of <a
 * href="https://github.com/OpenGVLab/InternVL/blob/v1.0/internvl_g/internvl/model/internvl_stage2_retrieval/modeling_internvl.py">modeling_internvl.py</a>,
 * the training of {@code itm_head}: queries and text all attend to each other, and the logits are
 * the mean of those of the queries.
 */
final class InternVlFusion {
  private static final String NAME = "internvl_g";

  /** Rotary positions have no end; the cache of a caption has. */
  private static final int CAPTION_CONTEXT = 512;

  private InternVlFusion() {}

  static CaptionArchitecture captioner(GgufMetadata metadata, Weights weights) {
    InternVlImages images = InternVlImages.of(metadata, weights);
    Weights t = weights.at("t");
    QLlama language = QLlama.of(metadata, t, images.width());
    return new CaptionArchitecture(
        NAME,
        images,
        QLlamaDecoder.of(language, t, images.width(), CAPTION_CONTEXT),
        InternVlTexts.of(metadata, language, CAPTION_CONTEXT));
  }

  static MatchArchitecture matcher(GgufMetadata metadata, Weights weights) {
    InternVlImages images = InternVlImages.of(metadata, weights);
    QLlama language = QLlama.of(metadata, weights.at("t"), images.width());
    return new MatchArchitecture(
        NAME,
        images,
        Heads.of(metadata, weights, language, images.width()),
        InternVlTexts.of(metadata, language));
  }

  private record Heads(
      QLlama language,
      Tensor queries,
      Projection match,
      InternVlVectors ofImage,
      InternVlTexts.Vectors ofText)
      implements MatchHeads {
    private static final int N_CLASSES = 2;

    static Heads of(GgufMetadata metadata, Weights weights, QLlama language, int nStates) {
      int dimension = weights.outputs("text_projection.weight");
      Weights t = weights.at("t");
      return new Heads(
          language,
          t.f32("query", language.width(), t.outputs("query")),
          Projection.of(weights.at("itm_head"), language.width(), N_CLASSES),
          InternVlVectors.generative(metadata, weights, language, nStates, dimension),
          InternVlTexts.Vectors.of(weights, language, dimension));
    }

    @Override
    public Tensor match(ModelGraph graph, Tensor ids, int n, Tensor image) {
      long width = language.width();
      long batch = ids.size(0) / n;
      long nQueries = queries.size(1);
      Tensor texts = language.embed(ids).reshape(width, n, batch);
      Tensor x = queries.inGraphOf(texts).repeat(width, nQueries, batch).concat(texts, 1);
      Tensor states =
          language
              .forward(graph::table, x, null, new QLlama.Image(image, nQueries))
              .slice(new long[] {}, width, nQueries, batch)
              .contiguous();
      // the mean of the logits is those of the mean
      Tensor mean = states.transpose().contiguous().meanRows().reshape(width, batch);
      return match.forward(mean).named("itm_score");
    }

    @Override
    public Tensor textVectors(ModelGraph graph, Tensor ids, int n) {
      int batch = Math.toIntExact(ids.size(0) / n);
      int[] last = IntStream.range(0, batch).map(i -> (i + 1) * n - 1).toArray();
      Tensor ends = graph.indexTable("ends", last, ids.size(0));
      return ofText.forward(graph::table, ids, ends, n);
    }

    @Override
    public Tensor imageVector(ModelGraph graph, Tensor image) {
      return ofImage.forward(graph::table, image).named("image.features");
    }

    @Override
    public int nTokens() {
      return language.nTokens();
    }
  }
}
