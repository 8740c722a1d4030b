package dev.ocellus.vlm.model;

import dev.ocellus.UnsupportedArchitectureException;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.dual.ImageEmbedder;
import dev.ocellus.vlm.image.Normalize;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.model.tiling.SquareFit;
import dev.ocellus.vlm.model.tower.ClipTower;
import dev.ocellus.vlm.model.tower.TowerConfig;
import dev.ocellus.vlm.nn.LayerNorm;
import dev.ocellus.vlm.nn.Projection;
import dev.ocellus.vlm.nn.QueryPooling;
import dev.ocellus.vlm.vision.ConfigReader;
import dev.ocellus.vlm.vision.EncoderGraph;
import dev.ocellus.vlm.vision.Tiles;

/**
 * CoCa's image encoder (arXiv:2205.01917) as open_clip has it: queries attend to all states of
 * CLIP's tower; what the first of them finds, normed, speaks for the image, or the mean of what all
 * others do ({@code clip.vision.pooling} {@code mean}). Weights under {@code v.} and {@code
 * v.pool.}.
 */
record CocaImages(
    ClipTower tower,
    QueryPooling pooling,
    LayerNorm norm,
    boolean isMean,
    Projection projection,
    SquareFit fit)
    implements ImageEmbedder {
  private static final float EPS = 1e-5f;
  private static final int MAX_HEADS = 1 << 12;

  static CocaImages of(GgufMetadata metadata, Weights weights) {
    TowerConfig c = ClipTower.config(metadata);
    Weights v = weights.at("v");
    Weights projection = weights.at("visual_projection");
    int width = v.outputs("pool.attn_out.weight");
    var reader = ConfigReader.ofVision(metadata);
    int nHead = reader.integer("pool.head_count", 1, MAX_HEADS);
    if (width % nHead != 0) {
      throw reader.invalid("pool.head_count", "a divisor of the width " + width, "" + nHead);
    }
    QueryPooling pooling = QueryPooling.of(v.at("pool"), width, c.nEmbd(), nHead, EPS);
    return new CocaImages(
        new ClipTower(c, v, metadata.bool("clip.vision.pre_norm", true)),
        pooling,
        LayerNorm.of(v.at("post_ln"), width, c.eps()),
        isMean(metadata, pooling),
        Projection.of(projection, width, projection.outputs("weight")),
        SquareFit.of(metadata, c.imageSize(), c.patchSize(), SquareFit.Kind.CROP, Normalize.CLIP));
  }

  private static boolean isMean(GgufMetadata metadata, QueryPooling pooling) {
    String key = "clip.vision.pooling";
    String name = metadata.string(key, "cls");
    boolean isMean = name.equals("mean") && pooling.nQueries() > 1;
    if (!isMean && !name.equals("cls")) {
      throw new UnsupportedArchitectureException(
          "%s: '%s' is not known for %d queries; known are cls, and mean for several"
              .formatted(key, name, pooling.nQueries()));
    }
    return isMean;
  }

  @Override
  public Tiles prepare(RgbImage image) {
    return fit.tile(image);
  }

  @Override
  public Tensor forward(EncoderGraph graph) {
    Tensor states = tower.forward(graph.pixels()).last().named("vision.last_hidden");
    long n = states.size(2);
    Tensor found = norm.forward(isMean ? pooling.others(states) : pooling.first(states));
    Tensor pooled = isMean ? found.transpose().contiguous().meanRows() : found;
    pooled = pooled.reshape(found.size(0), n).named("vision.pooled");
    return projection.forward(pooled).named("image.features");
  }
}
