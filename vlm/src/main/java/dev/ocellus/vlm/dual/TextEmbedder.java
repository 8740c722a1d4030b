package dev.ocellus.vlm.dual;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.vlm.graph.ModelGraph;

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
   */
  Tensor forward(ModelGraph graph, Tensor ids, Tensor pooled, int n);

  /** Ids are from 0 to this number minus 1. */
  int nTokens();
}
