package dev.ocellus.vlm.decode;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.vlm.graph.GraphRun;
import dev.ocellus.vlm.graph.ModelGraph;
import dev.ocellus.vlm.nn.KvCache;

/**
 * A text model of two halves as graphs: the encoder reads the whole prompt at once, and the decoder
 * writes the answer, attending to what the encoder made of it. {@link EncoderDecoder} keeps keys
 * and values. Sizes are in ggml order, innermost first.
 */
public interface EncoderDecoderGraph extends TextGraph {
  /** Most tokens of a prompt, and most of an answer with the one that it begins with. */
  @Override
  default int maxPositions() {
    return Integer.MAX_VALUE;
  }

  int nHead();

  /** What the decoder begins every answer with. */
  int startToken();

  /** The encoder, from the embeddings of a prompt [width, n] to its states, the same shape. */
  Tensor encode(ModelGraph graph, Tensor x);

  /**
   * Computes what the decoder's layers attend to of a prompt, and keeps it.
   *
   * @param states [width, n]
   * @param memory takes their keys and values
   * @param places [n] rows of it
   */
  void remember(Tensor states, KvCache memory, Tensor places);

  /**
   * What a decoder works with.
   *
   * @param own keys and values of the answer
   * @param places [n] rows of it that the new ones take
   * @param mask [nKeys, n] 0 for keys that a query attends to, minus infinity for others
   * @param memory keys and values of the prompt
   * @param nPrompt rows of it that are filled
   */
  record Cells(KvCache own, Tensor places, Tensor mask, KvCache memory, int nPrompt) {}

  /** The decoder and its last norm, with whatever inputs distances need: [width, n] to the same. */
  Tensor decode(ModelGraph graph, Tensor x, Cells cells);

  /**
   * Sets the inputs that {@link #decode} has added.
   *
   * @param positions of each of the n rows in the answer
   * @param keyPositions of each row of the cache; any for those that nobody attends to
   */
  void setDistances(GraphRun run, int[] positions, int[] keyPositions);
}
