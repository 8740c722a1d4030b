package dev.ocellus.vlm.nn;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;

/** What a text tower begins with: the vector of each token plus the learned one of its position. */
public final class TextEmbedding {
  private final Embedding tokens;
  private final Embedding positions;

  private TextEmbedding(Embedding tokens, Embedding positions) {
    this.tokens = tokens;
    this.positions = positions;
  }

  /**
   * Weights {@code token_embd} [width, nTokens] and {@code position_embd} [width, nPositions].
   *
   * @param nTokens size of the vocabulary
   * @param nPositions most positions
   */
  public static TextEmbedding of(Weights w, long width, long nTokens, long nPositions) {
    return new TextEmbedding(
        Embedding.of(w.at("token_embd"), width, nTokens),
        Embedding.of(w.at("position_embd"), width, nPositions));
  }

  /**
   * To [width, n].
   *
   * @param ids [n] token ids, with a limit of at most the size of the vocabulary
   * @param positions [n] positions, with a limit of at most their number
   */
  public Tensor forward(Tensor ids, Tensor positions) {
    return tokens.forward(ids).add(this.positions.forward(positions));
  }
}
