package dev.ocellus.vlm.model;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.dual.ImageEmbedder;
import dev.ocellus.vlm.image.Normalize;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.model.tiling.SquareFit;
import dev.ocellus.vlm.model.tower.ModifiedResNet;
import dev.ocellus.vlm.nn.AttentionPool2d;
import dev.ocellus.vlm.vision.ConfigReader;
import dev.ocellus.vlm.vision.EncoderGraph;
import dev.ocellus.vlm.vision.Tiles;
import java.util.ArrayList;
import java.util.List;

/**
 * CLIP's residual networks RN50 to RN50x64, whose maps attention pools into a vector. Weights under
 * {@code v.} and {@code v.pool.}.
 */
record ClipResNet(ModifiedResNet tower, AttentionPool2d pool, SquareFit fit)
    implements ImageEmbedder {
  private static final int MAX_LAYERS = 1024;
  private static final int STAGES = 4;

  static ClipResNet of(GgufMetadata metadata, Weights v) {
    ConfigReader c = ConfigReader.ofVision(metadata);
    int side = c.integer("image_size", 1, 1 << 12);
    var config = new ModifiedResNet.Config(layers(metadata, c), c.integer("width", 2, 1 << 12));
    int grid = config.grid(side);
    if (config.width() % 2 != 0 || grid < 1) {
      throw c.invalid(
          "width, image_size",
          "an even width, and at least %d pixels".formatted(config.reduction()),
          config.width() + ", " + side);
    }
    int nEmbd = config.nEmbd();
    int nHead = c.integer("attention.head_count", 1, nEmbd);
    if (nEmbd % nHead != 0) {
      throw c.invalid("attention.head_count", "a divisor of " + nEmbd, "" + nHead);
    }
    Weights pool = v.at("pool");
    return new ClipResNet(
        new ModifiedResNet(config, v),
        AttentionPool2d.of(pool, nEmbd, (long) grid * grid, nHead, pool.outputs("attn_out.weight")),
        SquareFit.of(metadata, side, config.reduction(), SquareFit.Kind.CROP, Normalize.CLIP));
  }

  private static List<Integer> layers(GgufMetadata metadata, ConfigReader c) {
    long[] counts = metadata.integers("clip.vision.stage_layers");
    List<Integer> layers = new ArrayList<>();
    for (long count : counts) {
      if (count < 1 || count > MAX_LAYERS) {
        throw c.invalid("stage_layers", "numbers from 1 to " + MAX_LAYERS, "" + count);
      }
      layers.add((int) count);
    }
    if (counts.length != STAGES) {
      throw c.invalid("stage_layers", "four numbers", "" + counts.length);
    }
    return layers;
  }

  @Override
  public Tiles prepare(RgbImage image) {
    return fit.tile(image);
  }

  @Override
  public Tensor forward(EncoderGraph graph) {
    return pool.forward(tower.forward(graph.pixels())).named("image.features");
  }
}
