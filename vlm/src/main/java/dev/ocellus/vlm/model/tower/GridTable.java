package dev.ocellus.vlm.model.tower;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.vlm.model.tiling.PatchOrder;
import dev.ocellus.vlm.vision.EncoderGraph;
import java.util.ArrayList;
import java.util.List;

/**
 * A learned table of positions on a square grid, brought to the grid of an image by linear
 * interpolation between the corners.
 *
 * <p>The reference is {@code get_vision_interpolation_indices_and_weights} with {@code
 * align_corners}: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/vision_utils.py">vision_utils.py</a>.
 * Its roundings are kept.
 */
public final class GridTable {
  private final Tensor table;
  private final int side;

  private GridTable(Tensor table, int side) {
    this.table = table;
    this.side = side;
  }

  /** Weight {@code weight} [nEmbd, side²]; the side follows from its shape. */
  public static GridTable of(Weights w, long nEmbd) {
    int side = (int) Math.sqrt(w.outputs("weight"));
    return new GridTable(w.f32("weight", nEmbd, (long) side * side), side);
  }

  /** Where a row or column of the image lies in the table: between two of its own. */
  private record Place(int first, int second, float firstWeight, float secondWeight) {
    static Place of(int index, int size, int side) {
      float at = (float) index * (side - 1) / Math.max(size - 1, 1);
      float floor = (float) Math.floor(at);
      int first = Math.clamp((long) floor, 0, side - 1);
      float firstWeight = Math.max(0, 1 - Math.abs(at - floor));
      float secondWeight = Math.max(0, 1 - Math.abs(at - floor - 1));
      return new Place(first, Math.min(first + 1, side - 1), firstWeight, secondWeight);
    }

    int tap(int which) {
      return which == 0 ? first : second;
    }

    float weight(int which) {
      return which == 0 ? firstWeight : secondWeight;
    }
  }

  /** Positions of patches in this order, [nEmbd, nPatches], in the graph of {@code x}. */
  public Tensor forward(EncoderGraph graph, Tensor x, PatchOrder order) {
    Place[] down = places(graph.gridY());
    Place[] across = places(graph.gridX());
    int n = order.n();
    Tensor all = table.inGraphOf(x);
    List<Tensor> parts = new ArrayList<>();
    for (int tap = 0; tap < 4; tap++) {
      int[] indices = new int[n];
      float[] weights = new float[n];
      for (int i = 0; i < n; i++) {
        Place row = down[order.rows()[i]];
        Place column = across[order.columns()[i]];
        indices[i] = row.tap(tap / 2) * side + column.tap(tap % 2);
        weights[i] = row.weight(tap / 2) * column.weight(tap % 2);
      }
      parts.add(
          all.getRows(graph.indices("positions." + tap, indices, (long) side * side))
              .mul(graph.table("positions.weights." + tap, weights, 1, n)));
    }
    return parts.get(0).add(parts.get(1)).add(parts.get(2)).add(parts.get(3));
  }

  private Place[] places(int size) {
    Place[] places = new Place[size];
    for (int i = 0; i < size; i++) {
      places[i] = Place.of(i, size, side);
    }
    return places;
  }
}
