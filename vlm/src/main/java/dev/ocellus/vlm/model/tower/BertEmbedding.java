package dev.ocellus.vlm.model.tower;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.vlm.nn.LayerNorm;
import dev.ocellus.vlm.nn.TextEmbedding;
import org.jspecify.annotations.Nullable;

/**
 * What a BERT begins with: the vectors of a token and of its position, and that of the first type
 * of tokens where there are types, normed together.
 */
public final class BertEmbedding {
  private final TextEmbedding embedding;
  private final @Nullable Tensor type;
  private final LayerNorm norm;
  private final int nTokens;
  private final int nPositions;

  private BertEmbedding(BertConfig c, Weights w) {
    nTokens = w.outputs("token_embd.weight");
    nPositions = c.nPositions();
    embedding = TextEmbedding.of(w, c.width(), nTokens, nPositions);
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
    Tensor x = embedding.forward(ids, positions);
    return norm.forward(type == null ? x : x.add(type));
  }
}
