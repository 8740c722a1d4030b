package dev.ocellus.vlm.embedding;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.vlm.graph.BatchGraph;
import dev.ocellus.vlm.graph.Floats;
import dev.ocellus.vlm.graph.GraphRun;
import dev.ocellus.vlm.graph.GraphRunner;
import dev.ocellus.vlm.graph.ModelGraph;
import java.util.Arrays;
import java.util.List;

/** Images or texts of one shape on their way through their encoder, which may be divided. */
abstract class FeatureBatch implements BatchGraph {
  private static final String FEATURES = "features";

  private final float[][] features;

  /**
   * @param n how many items there are
   */
  FeatureBatch(int n) {
    features = new float[n][];
  }

  /** The vectors of so many items, [dimension, count]. */
  abstract Tensor forward(ModelGraph graph, int count);

  /** Sets the inputs of some items. */
  abstract void set(GraphRun run, int from, int count);

  @Override
  public final void define(ModelGraph graph, int count) {
    graph.output(FEATURES, forward(graph, count));
  }

  @Override
  public final void compute(GraphRun run, int from, int count, CancellationFlag flag) {
    set(run, from, count);
    float[] found = run.compute(flag).get(FEATURES);
    List<float[]> vectors = Floats.split(found, found.length / count);
    for (int i = 0; i < count; i++) {
      features[from + i] = vectors.get(i);
    }
  }

  /** Computes all of them: vectors in their order. */
  final List<float[]> run(GraphRunner runner) {
    runner.run(this, features.length, new CancellationFlag());
    return Arrays.asList(features);
  }
}
