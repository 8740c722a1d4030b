package dev.ocellus.vlm.graph;

import dev.ocellus.ggml.Graph;
import dev.ocellus.ggml.GraphBuilder;
import dev.ocellus.ggml.Scheduler;
import dev.ocellus.ggml.Tensor;

/** A graph that can be run, and the scheduler that has memory for its intermediates. */
record Plan(ModelGraph model, Graph graph, Scheduler scheduler) {
  static Plan build(GraphDefinition definition, Scheduler scheduler, boolean keepNamed) {
    try (var builder = new GraphBuilder()) {
      builder.on(scheduler);
      if (keepNamed) {
        builder.keepNamed();
      }
      var model = new ModelGraph(builder);
      definition.define(model);
      Graph graph = builder.build(model.outputs().values().toArray(Tensor[]::new));
      return new Plan(model, graph, scheduler);
    }
  }

  /**
   * Starts a run on this thread.
   *
   * @param onFailure called when a run that failed is closed
   * @param onClose called when it is closed
   */
  GraphRun start(Runnable onFailure, Runnable onClose) {
    Scheduler.Computation computation = scheduler.start(graph);
    try {
      model.fillTables(computation);
      return new GraphRun(model, computation, onClose, onFailure);
    } catch (Throwable e) {
      computation.close();
      throw e;
    }
  }

  /** Frees the graph; the scheduler can be used for another one. */
  void drop() {
    scheduler.forget(graph);
    graph.close();
  }
}
