package dev.ocellus.vlm.vision;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.vlm.graph.ModelGraph;
import java.util.List;

/**
 * The second half of an image encoder that reads the instruction, too, so that an image's
 * embeddings are other ones for every text. The first half, a {@link VisionGraph}, gives states of
 * the image that do not depend on it.
 */
public interface InstructionGraph {
  /** Floats of an embedding that comes out, which is the embedding width of the text model. */
  int width();

  /**
   * Ids of an instruction, as the encoder takes them.
   *
   * @throws UnsupportedContentException if it is longer than the encoder can read
   */
  List<Integer> tokenize(String instruction);

  /**
   * Adds the second half to a graph.
   *
   * @param states of one image, [width of the first half, n], an input
   * @param nIds tokens of the instruction; they are to be an input of this name: {@link #IDS}
   * @return [{@link #width()}, embeddings]
   */
  Tensor forward(ModelGraph graph, Tensor states, int nIds);

  /** Name of the input that holds the instruction. */
  String IDS = "instruction";
}
