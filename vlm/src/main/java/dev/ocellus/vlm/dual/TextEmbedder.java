package dev.ocellus.vlm.dual;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.vlm.graph.ModelGraph;
import dev.ocellus.vlm.nn.AttentionMask;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The encoder of texts: tokenizer, tower, pooling and projection. */
public interface TextEmbedder {
  /** Most tokens of a text, those at its ends counted. */
  int contextLength();

  /** A text as the graph takes it, cut where it is longer than the context. */
  TextTokens prepare(String text);

  /**
   * From a batch of texts of equal length to their vectors, of any length, [dimension, batch].
   *
   * @param ids [n · batch] ids, one text after the other
   * @param pooled [batch] for each text the row that speaks for it, of n · batch rows
   * @param n tokens of a text
   * @param mask of {@link #mask}, where {@link #masksPadding()}; else null
   */
  Tensor forward(ModelGraph graph, Tensor ids, Tensor pooled, int n, @Nullable AttentionMask mask);

  /** Whether what fills up a text is to be hidden from its tokens by a mask of its own. */
  default boolean masksPadding() {
    return false;
  }

  /**
   * Values [n, n, 1, batch] of that mask.
   *
   * @param texts of n tokens each
   */
  default float[] mask(int n, List<TextTokens> texts) {
    int[] lengths = texts.stream().mapToInt(TextTokens::lengthWithoutPadding).toArray();
    int[] from = texts.stream().mapToInt(TextTokens::paddingInFront).toArray();
    return AttentionMask.padding(n, n, from, lengths);
  }

  /** Ids are from 0 to this number minus 1. */
  int nTokens();
}
