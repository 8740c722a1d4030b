package dev.ocellus.vlm.graph;

import dev.ocellus.compute.CancellationFlag;

/**
 * A graph for items that do not depend on each other, such as images of one size, and what goes
 * into it and comes out of it. {@link GraphRunner#run} divides a batch of them among threads.
 */
public interface BatchGraph {
  /** What the definition for so many items depends on; equal keys must mean equal graphs. */
  Object key(int count);

  /** Defines the graph for so many items. */
  void define(ModelGraph graph, int count);

  /**
   * Sets the inputs of some items, computes with the flag, and takes their outputs. Called by
   * several threads at once, by each for other items.
   *
   * @param run of the graph for {@code count} items; closed by the caller
   * @param from number of the first of them in the batch
   * @param flag to be given to {@link GraphRun#compute(CancellationFlag)}
   */
  void compute(GraphRun run, int from, int count, CancellationFlag flag);
}
