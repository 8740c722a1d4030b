package dev.ocellus.vlm.graph;

/** How a graph is built: asks {@code graph} for inputs, adds operations and names the outputs. */
@FunctionalInterface
public interface GraphDefinition {
  /** Called once for each key of {@link GraphRunner#start} that has no graph yet. */
  void define(ModelGraph graph);
}
