package dev.ocellus.vlm.model;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.dual.DualArchitecture;
import dev.ocellus.vlm.dual.ImageEmbedder;
import dev.ocellus.vlm.dual.Similarity;
import dev.ocellus.vlm.image.Normalize;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.model.tiling.PatchBudget;
import dev.ocellus.vlm.model.tiling.SquareFit;
import dev.ocellus.vlm.model.tower.NaflexTower;
import dev.ocellus.vlm.model.tower.SiglipTower;
import dev.ocellus.vlm.model.tower.TextTower;
import dev.ocellus.vlm.model.tower.TowerConfig;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.nn.ProbePooling;
import dev.ocellus.vlm.nn.Projection;
import dev.ocellus.vlm.vision.EncoderGraph;
import dev.ocellus.vlm.vision.Tiles;

/**
 * SigLIP (arXiv:2303.15343) and SigLIP 2 (arXiv:2502.14786), whose images have one size or any
 * shape (NaFlex): a learned query attends to the patches, and the last of the tokens speaks for a
 * text ({@link SiglipText}). Each label is right or wrong by itself. Weights under {@code v.},
 * {@code v.head.} and {@code t.}.
 *
 * <p>The reference is {@code SiglipModel} of transformers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/siglip/modeling_siglip.py">modeling_siglip.py</a>,
 * and {@code Siglip2Model}: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/siglip2/modeling_siglip2.py">modeling_siglip2.py</a>.
 * No published converter fixes the names; those of the heads are ours (docs/gguf.md).
 */
final class Siglip {
  private static final float EPS = 1e-6f;

  /** Where training begins ({@code logit_scale_init} of the paper). */
  private static final double LOG_SCALE = Math.log(10);

  private Siglip() {}

  /** The family of one size of images. */
  static DualArchitecture of(GgufMetadata metadata, Weights weights) {
    TowerConfig c = SiglipTower.config(metadata);
    return model(metadata, weights, c, Images.of(metadata, c, weights.at("v")));
  }

  /** SigLIP 2's models for images of any shape (NaFlex). */
  static DualArchitecture naflex(GgufMetadata metadata, Weights weights) {
    TowerConfig c = SiglipTower.config(metadata);
    return model(metadata, weights, c, NaflexImages.of(metadata, c, weights.at("v")));
  }

  /** The image encoder of one size alone, whose pooled states another model projects. */
  static ImageEmbedder images(GgufMetadata metadata, Weights weights, Projection projection) {
    TowerConfig c = SiglipTower.config(metadata);
    return new Projected(Images.of(metadata, c, weights.at("v")), projection);
  }

  private static DualArchitecture model(
      GgufMetadata metadata, Weights weights, TowerConfig c, ImageEmbedder images) {
    TextTower tower = TextTower.of(metadata, weights.at("t"), EPS, Activation.GELU_TANH);
    SiglipText texts = SiglipText.of(metadata, weights.at("t"), tower, c.nEmbd());
    Similarity similarity = DualConfig.similarity(metadata, LOG_SCALE, Similarity.Rule.SIGMOID);
    return new DualArchitecture(
        metadata.string("clip.model_type", "siglip"), c.nEmbd(), images, texts, similarity);
  }

  private static ProbePooling pooling(TowerConfig c, Weights v) {
    return ProbePooling.of(v.at("head"), c.nEmbd(), c.nFf(), c.nHead(), c.eps(), c.activation());
  }

  private record Images(SiglipTower.Normed tower, ProbePooling head, SquareFit fit)
      implements ImageEmbedder {
    static Images of(GgufMetadata metadata, TowerConfig c, Weights v) {
      return new Images(
          SiglipTower.Normed.of(c, v),
          pooling(c, v),
          SquareFit.of(
              metadata, c.imageSize(), c.patchSize(), SquareFit.Kind.STRETCH, Normalize.HALF));
    }

    @Override
    public Tiles prepare(RgbImage image) {
      return fit.tile(image);
    }

    @Override
    public Tensor forward(EncoderGraph graph) {
      return pooled(graph).named("image.features");
    }

    Tensor pooled(EncoderGraph graph) {
      return head.forward(tower.forward(graph.pixels()));
    }
  }

  private record Projected(Images images, Projection projection) implements ImageEmbedder {
    @Override
    public Tiles prepare(RgbImage image) {
      return images.prepare(image);
    }

    @Override
    public Tensor forward(EncoderGraph graph) {
      Tensor pooled = images.pooled(graph).named("vision.pooled");
      return projection.forward(pooled).named("image.features");
    }
  }

  private record NaflexImages(NaflexTower tower, ProbePooling head, PatchBudget fit)
      implements ImageEmbedder {
    static NaflexImages of(GgufMetadata metadata, TowerConfig c, Weights v) {
      return new NaflexImages(
          NaflexTower.of(c, v), pooling(c, v), PatchBudget.of(metadata, c.patchSize()));
    }

    @Override
    public Tiles prepare(RgbImage image) {
      return fit.tile(image);
    }

    @Override
    public Tensor forward(EncoderGraph graph) {
      return head.forward(tower.forward(graph)).named("image.features");
    }
  }
}
