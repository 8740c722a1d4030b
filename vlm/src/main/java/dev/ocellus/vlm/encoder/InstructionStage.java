package dev.ocellus.vlm.encoder;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.vlm.graph.GraphRun;
import dev.ocellus.vlm.graph.GraphRunner;
import dev.ocellus.vlm.graph.ModelGraph;
import dev.ocellus.vlm.vision.ImageInput;
import dev.ocellus.vlm.vision.InstructionGraph;
import java.util.List;
import java.util.Map;

/**
 * Computes the half of an encoder that reads the instruction, image by image.
 *
 * @param width floats of a state
 */
record InstructionStage(GraphRunner runner, InstructionGraph graph, int width) {
  private static final String STATES = "states";
  private static final String EMBEDDINGS = "embeddings";

  /**
   * From the states of an image to its embeddings. An image that comes without an instruction is
   * read with the empty one.
   */
  float[] encode(ImageInput image, float[] states, CancellationFlag flag) {
    int[] ids = ids(image);
    int nStates = states.length / width;
    try (GraphRun run =
        runner.start(
            List.of(STATES, nStates, ids.length),
            definition -> define(definition, nStates, ids.length))) {
      run.set(STATES, states).set(InstructionGraph.IDS, ids).compute(flag);
      return run.get(EMBEDDINGS);
    }
  }

  /** What the graph names on the way. */
  Map<String, float[]> intermediates(ImageInput image, float[] states) {
    int[] ids = ids(image);
    return runner.intermediates(
        definition -> define(definition, states.length / width, ids.length),
        run -> run.set(STATES, states).set(InstructionGraph.IDS, ids),
        List.of());
  }

  private int[] ids(ImageInput image) {
    List<Integer> ids = image.instruction().isEmpty() ? graph.tokenize("") : image.instruction();
    return ids.stream().mapToInt(Integer::intValue).toArray();
  }

  private void define(ModelGraph definition, int nStates, int nIds) {
    Tensor states = definition.input(STATES, width, nStates);
    definition.output(EMBEDDINGS, graph.forward(definition, states, nIds));
  }
}
