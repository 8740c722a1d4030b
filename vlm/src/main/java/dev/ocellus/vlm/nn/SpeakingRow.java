package dev.ocellus.vlm.nn;

import dev.ocellus.ggml.Tensor;

/**
 * The one row of each member of a batch that speaks for it, such as the CLS token's or that of a
 * text's end. Nothing reads the others behind the last layer, which is therefore computed for these
 * alone: of the others it takes keys and values.
 */
public abstract sealed class SpeakingRow {
  private SpeakingRow() {}

  /** The first row of each member. */
  public static SpeakingRow first() {
    return new First();
  }

  /**
   * Rows by number.
   *
   * @param rows [batch] from 0 to n · batch - 1
   */
  public static SpeakingRow at(Tensor rows) {
    return new At(rows);
  }

  /** From states [nEmbd, n, batch] to those of the rows, [nEmbd, 1, batch]. */
  public abstract Tensor of(Tensor states);

  /**
   * What these rows may attend to.
   *
   * @param mask for n keys and n queries
   * @param batch how many members there are
   */
  abstract AttentionMask of(AttentionMask mask, long batch);

  private static final class First extends SpeakingRow {
    @Override
    public Tensor of(Tensor states) {
      return states.slice(new long[] {}, states.size(0), 1, states.size(2)).contiguous();
    }

    @Override
    AttentionMask of(AttentionMask mask, long batch) {
      return AttentionMask.of(mask.queries(0, 1));
    }
  }

  private static final class At extends SpeakingRow {
    private final Tensor rows;

    private At(Tensor rows) {
      this.rows = rows;
    }

    @Override
    public Tensor of(Tensor states) {
      Tensor all = states.reshape(states.size(0), states.size(1) * states.size(2));
      return all.getRows(rows).reshape(states.size(0), 1, states.size(2));
    }

    @Override
    AttentionMask of(AttentionMask mask, long batch) {
      return mask.queries(rows, batch);
    }
  }
}
