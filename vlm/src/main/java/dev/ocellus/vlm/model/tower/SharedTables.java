package dev.ocellus.vlm.model.tower;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.vlm.vision.EncoderGraph;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Supplier;

/** Tables of one graph that several of its layers use, each made when it is first asked for. */
final class SharedTables {
  private final EncoderGraph graph;
  private final Map<String, Tensor> made = new HashMap<>();

  SharedTables(EncoderGraph graph) {
    this.graph = graph;
  }

  /** As {@link EncoderGraph#table}. */
  Tensor table(String name, Supplier<float[]> values, long... shape) {
    return made.computeIfAbsent(name, n -> graph.table(n, values.get(), shape));
  }

  /** As {@link EncoderGraph#indices}. */
  Tensor indices(String name, Supplier<int[]> values, long limit) {
    return made.computeIfAbsent(name, n -> graph.indices(n, values.get(), limit));
  }

  /** A tensor of the graph. */
  Tensor pixels() {
    return graph.pixels();
  }
}
