package dev.ocellus.vlm.model;

import dev.ocellus.UnsupportedArchitectureException;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.dual.DualArchitecture;
import dev.ocellus.vlm.dual.ImageEmbedder;
import dev.ocellus.vlm.dual.Similarity;
import dev.ocellus.vlm.dual.TextEmbedder;
import dev.ocellus.vlm.image.Normalize;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.model.tiling.SquareFit;
import dev.ocellus.vlm.model.tower.ClipTower;
import dev.ocellus.vlm.model.tower.TextTower;
import dev.ocellus.vlm.model.tower.TowerConfig;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.nn.Pooler;
import dev.ocellus.vlm.nn.Projection;
import dev.ocellus.vlm.vision.EncoderGraph;
import dev.ocellus.vlm.vision.Tiles;
import org.jspecify.annotations.Nullable;

/**
 * CLIP (arXiv:2103.00020) and what open_clip made of it: the normed CLS token of an image, or what
 * {@code clip.vision.pooling} says, and the state of a text's end ({@link ContrastiveText}), each
 * projected to one space; or a residual network ({@link ClipResNet}). Weights under {@code v.} and
 * {@code t.}, {@code visual_projection} and {@code text_projection}.
 *
 * <p>The reference is {@code CLIPModel} of transformers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/clip/modeling_clip.py">modeling_clip.py</a>.
 * The names are those that clip.cpp's converter gives; its files hold no scale, and every published
 * model of OpenAI has been trained to the limit of 100.
 */
final class Clip {
  private static final float EPS = 1e-5f;

  /** As the training of OpenAI's models clamps it. */
  private static final double LOG_SCALE = Math.log(100);

  private Clip() {}

  static DualArchitecture of(GgufMetadata metadata, Weights weights) {
    ImageEmbedder images = images(metadata, weights);
    int dimension = dimension(metadata, weights);
    Activation activation = TowerConfig.declaredActivation(metadata, Activation.QUICK_GELU);
    TextTower tower = TextTower.of(metadata, weights.at("t"), EPS, activation);
    TextEmbedder texts =
        ContrastiveText.of(metadata, weights, tower, DualTokenizers.of(metadata), dimension);
    return new DualArchitecture("clip", dimension, images, texts, similarity(metadata));
  }

  /** The same with a BERT or RoBERTa as text encoder, as open_clip combines them. */
  static DualArchitecture withBert(GgufMetadata metadata, Weights weights) {
    ImageEmbedder images = images(metadata, weights);
    int dimension = dimension(metadata, weights);
    BertText texts = BertText.of(metadata, weights, dimension);
    return new DualArchitecture("clip_bert", dimension, images, texts, similarity(metadata));
  }

  private static Similarity similarity(GgufMetadata metadata) {
    // a bias is learned with SigLIP's loss only
    boolean sigmoid = metadata.contains("clip.logit_bias");
    return DualConfig.similarity(
        metadata, LOG_SCALE, sigmoid ? Similarity.Rule.SIGMOID : Similarity.Rule.SOFTMAX);
  }

  static ImageEmbedder images(GgufMetadata metadata, Weights weights) {
    if (weights.has("v.stem.1.weight")) {
      return ClipResNet.of(metadata, weights.at("v"));
    }
    return weights.has("v.pool.query")
        ? CocaImages.of(metadata, weights)
        : Images.of(metadata, weights, null);
  }

  /** The same with ViT's pooler behind the tower: weights {@code v.pooler}. */
  static ImageEmbedder pooledImages(GgufMetadata metadata, Weights weights) {
    long nEmbd = ClipTower.config(metadata).nEmbd();
    return Images.of(metadata, weights, Pooler.of(weights.at("v.pooler"), nEmbd));
  }

  static int dimension(GgufMetadata metadata, Weights weights) {
    return weights.has("v.stem.1.weight")
        ? weights.outputs("v.pool.attn_out.weight")
        : weights.outputs("visual_projection.weight");
  }

  private record Images(
      ClipTower.Pooled tower, @Nullable Pooler pooler, Projection projection, SquareFit fit)
      implements ImageEmbedder {
    static Images of(GgufMetadata metadata, Weights weights, @Nullable Pooler pooler) {
      TowerConfig c = ClipTower.config(metadata);
      Weights projection = weights.at("visual_projection");
      Weights v = weights.at("v");
      var tower = new ClipTower(c, v, metadata.bool("clip.vision.pre_norm", true));
      return new Images(
          ClipTower.Pooled.of(tower, c, v, pooling(metadata)),
          pooler,
          Projection.of(projection, c.nEmbd(), projection.outputs("weight")),
          SquareFit.of(
              metadata, c.imageSize(), c.patchSize(), SquareFit.Kind.CROP, Normalize.CLIP));
    }

    private static ClipTower.Pooling pooling(GgufMetadata metadata) {
      String key = "clip.vision.pooling";
      String name = metadata.string(key, "cls");
      return switch (name) {
        case "cls" -> ClipTower.Pooling.CLS;
        case "mean" -> ClipTower.Pooling.MEAN;
        case "mean_then_norm" -> ClipTower.Pooling.MEAN_THEN_NORM;
        default ->
            throw new UnsupportedArchitectureException(
                "%s: '%s' is not known; known are cls, mean, mean_then_norm".formatted(key, name));
      };
    }

    @Override
    public Tiles prepare(RgbImage image) {
      return fit.tile(image);
    }

    @Override
    public Tensor forward(EncoderGraph graph) {
      Tensor pooled = tower.forward(graph.pixels(), graph.keepsNamed());
      return projection
          .forward(pooler == null ? pooled : pooler.forward(pooled))
          .named("image.features");
    }
  }
}
