package dev.ocellus.vlm.model.tower;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.vlm.nn.Embedding;
import dev.ocellus.vlm.nn.LayerNorm;
import org.jspecify.annotations.Nullable;

/**
 * What a BERT begins with: the vectors of a token and of its position, and that of the first type
 * of tokens where there are types, normed together.
 */
public final class BertEmbedding {
  private final Embedding tokens;
  private final Embedding positions;
  private final @Nullable Tensor type;
  private final LayerNorm norm;
  private final int nTokens;
  private final int nPositions;

  private BertEmbedding(BertConfig c, Weights w) {
    nTokens = w.outputs("token_embd.weight");
    nPositions = c.nPositions();
    tokens = Embedding.of(w.at("token_embd"), c.width(), nTokens);
    positions = Embedding.of(w.at("position_embd"), c.width(), nPositions);
    type = w.findF32("token_types.weight", c.width());
    norm = LayerNorm.of(w.at("embd_ln"), c.width(), c.layers().eps());
  }

  /**
   * Weights {@code token_embd} [width, nTokens], {@code position_embd} [width, nPositions], {@code
   * embd_ln} [width] and, where the file has it, {@code token_types} [width].
   */
  public static BertEmbedding of(BertConfig c, Weights w) {
    return new BertEmbedding(c, w);
  }

  /** Size of the vocabulary. */
  public int nTokens() {
    return nTokens;
  }

  /** Most positions. */
  public int nPositions() {
    return nPositions;
  }

  /**
   * To [width, n].
   *
   * @param ids [n] token ids, with a limit of at most {@link #nTokens()}
   * @param positions [n], with a limit of at most {@link #nPositions()}
   */
  public Tensor forward(Tensor ids, Tensor positions) {
    return at(tokens(ids), positions);
  }

  /** The vectors of tokens alone, [width, n]. */
  public Tensor tokens(Tensor ids) {
    return tokens.forward(ids);
  }

  /** From vectors of tokens [width, n], where they stand at these positions. */
  public Tensor at(Tensor vectors, Tensor places) {
    Tensor x = vectors.add(positions.forward(places));
    return norm.forward(type == null ? x : x.add(type));
  }
}
