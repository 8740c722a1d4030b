package dev.ocellus.vlm.decode;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.vlm.graph.GraphRun;
import dev.ocellus.vlm.graph.ModelGraph;
import dev.ocellus.vlm.nn.AttentionMask;
import dev.ocellus.vlm.nn.KvCache;
import java.util.Arrays;

/**
 * The layers of a text model as a graph, for {@link GraphDecoder}, which keeps keys and values,
 * makes masks and cuts batches. Sizes are in ggml order, innermost first.
 */
public interface DecoderGraph extends TextGraph {
  /** Position numbers of an embedding: 1, or one for each axis of rotary positions. */
  default int nPositions() {
    return 1;
  }

  /** Heads of keys and values. */
  int nHeadKv();

  /**
   * All layers and the last norm, with whatever inputs positions need.
   *
   * @param x [width, n]
   * @param cache takes the new keys and values
   * @param places [n] rows of the cache that they take
   * @param mask for the keys that are attended to, and n queries
   * @return [width, n]
   */
  Tensor forward(ModelGraph graph, Tensor x, KvCache cache, Tensor places, AttentionMask mask);

  /**
   * Sets the inputs that {@link #forward} has added.
   *
   * @param positions of each of the n rows
   */
  void setPositions(GraphRun run, int[] positions);

  /**
   * The same for embeddings, whose positions may differ from axis to axis.
   *
   * @param positions of each of the n rows, on each of {@link #nPositions} axes
   */
  default void setPositions(GraphRun run, int[][] positions) {
    setPositions(run, Arrays.stream(positions).mapToInt(axes -> axes[0]).toArray());
  }

  /**
   * Sets inputs of {@link #forward} that depend on where keys stand, too; most graphs have none.
   *
   * @param positions of each of the n rows
   * @param keyPositions of each key that the mask is for; any number for keys that nobody attends
   *     to
   */
  default void setKeys(GraphRun run, int[] positions, int[] keyPositions) {}
}
