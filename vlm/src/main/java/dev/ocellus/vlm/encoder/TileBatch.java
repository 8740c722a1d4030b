package dev.ocellus.vlm.encoder;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.vlm.graph.BatchGraph;
import dev.ocellus.vlm.graph.GraphRun;
import dev.ocellus.vlm.graph.ModelGraph;
import dev.ocellus.vlm.vision.EncoderGraph;
import dev.ocellus.vlm.vision.Tiles;
import dev.ocellus.vlm.vision.VisionArchitecture;
import java.util.List;
import java.util.Map;

/** Tiles of one shape on their way through an encoder, which may be divided. */
final class TileBatch implements BatchGraph {
  /** What a graph depends on: shape of the tiles, and patches across and down. */
  private record Shape(List<Long> sizes, int gridX, int gridY) {}

  private static final String EMBEDDINGS = "embeddings";

  private final VisionArchitecture architecture;
  private final TileQueue queue;
  private final TileQueue.Batch batch;
  private final Map<Tiles, float[]> embeddings;

  /**
   * @param queue from which the tiles are, and which knows whose they are
   * @param embeddings of each source of tiles, where results are written
   */
  TileBatch(
      VisionArchitecture architecture,
      TileQueue queue,
      TileQueue.Batch batch,
      Map<Tiles, float[]> embeddings) {
    this.architecture = architecture;
    this.queue = queue;
    this.batch = batch;
    this.embeddings = embeddings;
  }

  /** Defines the graph for tiles of a shape. */
  static void define(VisionArchitecture architecture, ModelGraph graph, Tiles tiles) {
    graph.output(EMBEDDINGS, architecture.graph().forward(new EncoderGraph(graph, tiles)));
  }

  private Tiles tiles(int count) {
    Tiles all = batch.tiles();
    return count == all.n() ? all : all.withCount(count);
  }

  @Override
  public Object key(int count) {
    Tiles tiles = tiles(count);
    return new Shape(tiles.shape(), tiles.gridX(), tiles.gridY());
  }

  @Override
  public void define(ModelGraph graph, int count) {
    define(architecture, graph, tiles(count));
  }

  @Override
  public void compute(GraphRun run, int from, int count, CancellationFlag flag) {
    int offset = batch.offset() + from * queue.pixelsPerTile();
    run.set(EncoderGraph.PIXELS, batch.pixels(), offset).compute(flag);
    long[] shape = run.shape(EMBEDDINGS);
    queue.deliver(
        batch.first() + from,
        count,
        Math.toIntExact(shape[0] * shape[1] * shape[2] * shape[3] / count),
        (start, n, destination, to) -> run.get(EMBEDDINGS, start, n, destination, to),
        embeddings);
  }
}
