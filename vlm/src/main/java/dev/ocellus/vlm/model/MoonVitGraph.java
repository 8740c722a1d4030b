package dev.ocellus.vlm.model;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.vlm.model.tower.MoonVit;
import dev.ocellus.vlm.model.tower.TowerConfig;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.nn.LayerNorm;
import dev.ocellus.vlm.nn.Mlp;
import dev.ocellus.vlm.nn.PixelShuffle;
import dev.ocellus.vlm.vision.EncoderGraph;
import dev.ocellus.vlm.vision.VisionGraph;

/** MoonViT with the projector of Kimi-VL and Kimi K2.5, over squares of normed patches. */
record MoonVitGraph(MoonVit tower, PixelShuffle squares, LayerNorm norm, Mlp mlp, int width)
    implements VisionGraph {
  /**
   * Binds the weights under {@code v.} and {@code mm.}.
   *
   * @param merge patches of a square's side
   */
  static MoonVitGraph of(TowerConfig c, int merge, MoonVit.PairOrder order, Weights weights) {
    Weights mm = weights.at("mm");
    long nIn = (long) c.nEmbd() * merge * merge;
    return new MoonVitGraph(
        MoonVit.of(c, order, weights.at("v")),
        new PixelShuffle(merge),
        LayerNorm.of(mm.at("input_norm"), c.nEmbd(), c.eps()),
        Mlp.projector(mm.at(1), mm.at(2), nIn, Activation.GELU),
        mm.at(2).outputs("weight"));
  }

  @Override
  public Tensor forward(EncoderGraph graph) {
    Tensor x = norm.forward(tower.forward(graph)); // [nEmbd, patches]
    x = squares.forward(x, graph.gridX(), graph.gridY());
    return mlp.forward(x).named("projector.out");
  }
}
