package dev.ocellus.vlm.embedding;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.vlm.dual.ImageEmbedder;
import dev.ocellus.vlm.graph.Floats;
import dev.ocellus.vlm.graph.GraphRun;
import dev.ocellus.vlm.graph.ModelGraph;
import dev.ocellus.vlm.vision.EncoderGraph;
import dev.ocellus.vlm.vision.Tiles;
import java.util.List;

/** Images of one shape. */
final class ImageBatch extends FeatureBatch {
  private final ImageEmbedder embedder;
  private final List<Tiles> images;

  ImageBatch(ImageEmbedder embedder, List<Tiles> images) {
    super(images.size());
    this.embedder = embedder;
    this.images = images;
  }

  @Override
  public Object key(int count) {
    Tiles tiles = tiles(count);
    return List.of("images", tiles.shape(), tiles.gridX(), tiles.gridY());
  }

  private Tiles tiles(int count) {
    return images.getFirst().withCount(count);
  }

  @Override
  Tensor forward(ModelGraph graph, int count) {
    return embedder.forward(new EncoderGraph(graph, tiles(count)));
  }

  @Override
  void set(GraphRun run, int from, int count) {
    List<float[]> pixels = images.subList(from, from + count).stream().map(Tiles::pixels).toList();
    run.set(EncoderGraph.PIXELS, Floats.concat(pixels));
  }
}
