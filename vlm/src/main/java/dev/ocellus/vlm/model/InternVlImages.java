package dev.ocellus.vlm.model;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.fusion.ImageStates;
import dev.ocellus.vlm.image.Normalize;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.model.tiling.SquareFit;
import dev.ocellus.vlm.model.tower.InternVit;
import dev.ocellus.vlm.model.tower.TowerConfig;
import dev.ocellus.vlm.vision.EncoderGraph;
import dev.ocellus.vlm.vision.Tiles;

/** InternViT-6B as InternVL 1.0 has it: of the middle of an image all states of the last layer. */
record InternVlImages(InternVit tower, SquareFit fit, int width) implements ImageStates {
  static InternVlImages of(GgufMetadata metadata, Weights weights) {
    TowerConfig c = InternVit.config(metadata);
    return new InternVlImages(
        new InternVit(c, weights.at("v")),
        SquareFit.of(
            metadata, c.imageSize(), c.patchSize(), SquareFit.Kind.CROP, Normalize.IMAGENET),
        c.nEmbd());
  }

  @Override
  public Tiles prepare(RgbImage image) {
    return fit.tile(image);
  }

  /** From n tiles to [width, rows, n]. */
  @Override
  public Tensor forward(EncoderGraph graph) {
    return tower.forward(graph.pixels());
  }
}
