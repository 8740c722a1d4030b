package dev.ocellus.vlm.vision;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.vlm.graph.ModelGraph;

/**
 * What an architecture builds its graph from: the pixels, and tables that follow from their shape.
 * Tables are computed once for a shape and kept with the graph.
 */
public final class EncoderGraph {
  /** Name of the input that {@link #pixels()} is. */
  public static final String PIXELS = "pixels";

  private final ModelGraph graph;
  private final Tensor pixels;
  private final int gridX;
  private final int gridY;

  /** Starts a graph for tiles of this shape; their values do not matter yet. */
  public EncoderGraph(ModelGraph graph, Tiles tiles) {
    this.graph = graph;
    this.pixels = graph.input(PIXELS, tiles.shape().stream().mapToLong(Long::longValue).toArray());
    this.gridX = tiles.gridX();
    this.gridY = tiles.gridY();
  }

  /** The pixels, in the shape of {@link Tiles#shape}. */
  public Tensor pixels() {
    return pixels;
  }

  /** Patches across a tile. */
  public int gridX() {
    return gridX;
  }

  /** Patches down a tile. */
  public int gridY() {
    return gridY;
  }

  /** As {@link ModelGraph#keepsNamed}. */
  public boolean keepsNamed() {
    return graph.keepsNamed();
  }

  /** A table of floats, such as the cosines of rotary positions or a mask. */
  public Tensor table(String name, float[] values, long... shape) {
    return graph.table(name, values, shape);
  }

  /** Integer positions for a rotary operation. */
  public Tensor positions(String name, int[] values) {
    return graph.positionTable(name, values);
  }

  /** Row numbers from 0 to {@code limit - 1}, for {@link Tensor#getRows}. */
  public Tensor indices(String name, int[] values, long limit) {
    return graph.indexTable(name, values, limit);
  }
}
