package dev.ocellus.vlm.graph;

import dev.ocellus.ggml.Graph;
import dev.ocellus.ggml.GraphBuilder;
import dev.ocellus.ggml.Scheduler;
import dev.ocellus.ggml.Tensor;

/** A graph that can be run, and the scheduler that has memory for its intermediates. */
record Plan(Object key, ModelGraph model, Graph graph, Scheduler scheduler) {
  static Plan build(
      Object key, GraphDefinition definition, Scheduler scheduler, boolean keepNamed) {
    try (var builder = new GraphBuilder()) {
      if (keepNamed) {
        builder.keepNamed();
      }
      var model = new ModelGraph(builder);
      definition.define(model);
      Graph graph = builder.build(model.outputs().values().toArray(Tensor[]::new));
      return new Plan(key, model, graph, scheduler);
    }
  }

  /** Frees the graph; the scheduler can be used for another one. */
  void drop() {
    scheduler.forget(graph);
    graph.close();
  }
}
