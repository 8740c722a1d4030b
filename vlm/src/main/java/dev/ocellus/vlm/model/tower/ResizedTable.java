package dev.ocellus.vlm.model.tower;

import dev.ocellus.ggml.FeatureMaps;
import dev.ocellus.ggml.Interpolation;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;

/** A learned table of positions on a square grid, resized as an image to that of each image. */
public final class ResizedTable {
  private final Tensor table;
  private final long side;
  private final Interpolation interpolation;

  private ResizedTable(Tensor table, long side, Interpolation interpolation) {
    this.table = table;
    this.side = side;
    this.interpolation = interpolation;
  }

  /** Weight {@code weight} [nEmbd, side²]; the side follows from its shape. */
  public static ResizedTable of(Weights w, long nEmbd, Interpolation interpolation) {
    long side = (long) Math.sqrt(w.outputs("weight"));
    return new ResizedTable(w.f32("weight", nEmbd, side * side), side, interpolation);
  }

  /** Positions of a grid of patches line by line, [nEmbd, patches], in the graph of {@code x}. */
  public Tensor forward(Tensor x, long gridX, long gridY) {
    long nEmbd = table.size(0);
    if (gridX == side && gridY == side) {
      return table.inGraphOf(x);
    }
    Tensor maps = table.inGraphOf(x).transpose().contiguous().reshape(side, side, nEmbd);
    return FeatureMaps.interpolate(maps, gridX, gridY, interpolation)
        .reshape(gridX * gridY, nEmbd)
        .transpose()
        .contiguous();
  }
}
