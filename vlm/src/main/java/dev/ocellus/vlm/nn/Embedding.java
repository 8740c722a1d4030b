package dev.ocellus.vlm.nn;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;

/** A table of vectors by number: of tokens, of positions, of a codebook. */
public final class Embedding {
  private final Tensor table;

  private Embedding(Tensor table) {
    this.table = table;
  }

  /** Weight {@code weight} [width, count], of any type. */
  public static Embedding of(Weights w, long width, long count) {
    return new Embedding(w.get("weight", width, count));
  }

  /** Vectors that the table has. */
  public long count() {
    return table.size(1);
  }

  /**
   * From [n] numbers to [width, n].
   *
   * @param numbers from {@link dev.ocellus.vlm.graph.ModelGraph#indices} with a limit of at most
   *     {@link #count()}
   */
  public Tensor forward(Tensor numbers) {
    return table.inGraphOf(numbers).getRows(numbers);
  }
}
