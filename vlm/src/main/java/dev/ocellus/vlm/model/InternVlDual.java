package dev.ocellus.vlm.model;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.dual.DualArchitecture;
import dev.ocellus.vlm.dual.ImageEmbedder;
import dev.ocellus.vlm.dual.Similarity;
import dev.ocellus.vlm.dual.TextEmbedder;
import dev.ocellus.vlm.dual.TextTokens;
import dev.ocellus.vlm.fusion.TextIds;
import dev.ocellus.vlm.graph.ModelGraph;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.model.tower.QLlama;
import dev.ocellus.vlm.nn.AttentionMask;
import dev.ocellus.vlm.vision.EncoderGraph;
import dev.ocellus.vlm.vision.Tiles;
import java.util.Set;
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
  /** {@code clip.model_type} of InternVL-C. */
  static final String CONTRASTIVE = "internvl_c";

  /** {@code clip.model_type} of InternVL-G. */
  static final String GENERATIVE = "internvl_g";

  /** Both: their files are the same. */
  static final Set<String> TYPES = Set.of(CONTRASTIVE, GENERATIVE);

  /** Where training begins. */
  private static final double LOG_SCALE = Math.log(1 / 0.07);

  private InternVlDual() {}

  /** InternVL-C. */
  static DualArchitecture contrastive(GgufMetadata metadata, Weights weights) {
    return model(CONTRASTIVE, metadata, weights);
  }

  /** InternVL-G. */
  static DualArchitecture generative(GgufMetadata metadata, Weights weights) {
    return model(GENERATIVE, metadata, weights);
  }

  private static DualArchitecture model(String name, GgufMetadata metadata, Weights weights) {
    InternVlImages images = InternVlImages.of(metadata, weights);
    QLlama language = QLlama.of(metadata, weights.at("t"), images.width());
    int dimension = weights.outputs("text_projection.weight");
    InternVlVectors vectors =
        name.equals(GENERATIVE)
            ? InternVlVectors.generative(metadata, weights, language, images.width(), dimension)
            : InternVlVectors.contrastive(metadata, weights, images.width(), dimension);
    var texts =
        new Texts(
            InternVlTexts.of(metadata, language),
            InternVlTexts.Vectors.of(weights, language, dimension));
    Similarity similarity = DualConfig.similarity(metadata, LOG_SCALE, Similarity.Rule.SOFTMAX);
    return new DualArchitecture(name, dimension, new Images(images, vectors), texts, similarity);
  }

  private record Images(InternVlImages images, InternVlVectors vectors) implements ImageEmbedder {
    @Override
    public Tiles prepare(RgbImage image) {
      return images.prepare(image);
    }

    @Override
    public Tensor forward(EncoderGraph graph) {
      return vectors.forward(graph::table, images.forward(graph)).named("image.features");
    }
  }

  private record Texts(InternVlTexts texts, InternVlTexts.Vectors vectors) implements TextEmbedder {
    /** Graphs are for lengths that are multiples of it, so that few of them serve all texts. */
    private static final int LENGTH_STEP = 8;

    @Override
    public int nTokens() {
      return vectors.language().nTokens();
    }

    @Override
    public int contextLength() {
      return texts.contextLength();
    }

    @Override
    public TextTokens prepare(String text) {
      TextIds whole = texts.alone(text);
      int[] ids = whole.ids();
      int most = contextLength();
      int padded = Math.min(Math.ceilDiv(ids.length, LENGTH_STEP) * LENGTH_STEP, most);
      return new TextTokens(ids, padded, 0, ids.length - 1, whole.nDropped());
    }

    @Override
    public Tensor forward(
        ModelGraph graph, Tensor ids, Tensor pooled, int n, @Nullable AttentionMask hidden) {
      return vectors.forward(graph::table, ids, pooled, n);
    }
  }
}
