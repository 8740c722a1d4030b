package dev.ocellus.vlm.vision;

import dev.ocellus.ggml.GraphBuilder;
import dev.ocellus.ggml.Scheduler;
import dev.ocellus.ggml.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * What an architecture builds its graph from: the pixels, and tables that follow from their shape.
 * Tables are computed once for a shape and kept with the graph.
 */
public final class EncoderGraph {
  private final GraphBuilder builder;
  private final Tensor pixels;
  private final int gridX;
  private final int gridY;
  private final List<Consumer<Scheduler.Computation>> tables = new ArrayList<>();

  /** Starts a graph for tiles of this shape; their values do not matter yet. */
  public EncoderGraph(GraphBuilder builder, Tiles tiles) {
    this.builder = builder;
    this.pixels =
        builder.input("pixels", tiles.shape().stream().mapToLong(Long::longValue).toArray());
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

  /** A table of floats, such as the cosines of rotary positions or a mask. */
  public Tensor table(String name, float[] values, long... shape) {
    Tensor tensor = builder.input(name, shape);
    tables.add(computation -> computation.set(tensor, values));
    return tensor;
  }

  /** Integer positions for a rotary operation. */
  public Tensor positions(String name, int[] values) {
    Tensor tensor = builder.positions(name, values.length);
    tables.add(computation -> computation.set(tensor, values));
    return tensor;
  }

  /** Row numbers from 0 to {@code limit - 1}, for {@link Tensor#getRows}. */
  public Tensor indices(String name, int[] values, long limit) {
    Tensor tensor = builder.indices(name, values.length, limit);
    tables.add(computation -> computation.set(tensor, values));
    return tensor;
  }

  /** Fills the tables. Intermediates may have used their memory since the last computation. */
  public void fill(Scheduler.Computation computation) {
    tables.forEach(table -> table.accept(computation));
  }
}
