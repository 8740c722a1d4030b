package dev.ocellus.vlm.dual;

import java.util.Arrays;

/** The tokens of a text as a text tower takes them. */
public final class TextTokens {
  private final int[] ids;
  private final int nIds;
  private final int pooled;
  private final int nDropped;

  /**
   * @param ids tokens with those at the ends, without padding
   * @param nPadded how many tokens are computed, at least as many as there are ids
   * @param padding what fills up the rest
   * @param pooled place of the token whose state speaks for the text
   * @param nDropped tokens of the text that were cut off
   */
  public TextTokens(int[] ids, int nPadded, int padding, int pooled, int nDropped) {
    this.ids = Arrays.copyOf(ids, Math.max(nPadded, ids.length));
    Arrays.fill(this.ids, ids.length, this.ids.length, padding);
    this.nIds = ids.length;
    this.pooled = pooled;
    this.nDropped = nDropped;
  }

  /** All tokens that are computed, padding too. */
  public int[] ids() {
    return ids.clone();
  }

  /** How many tokens are computed. */
  public int length() {
    return ids.length;
  }

  /** The tokens without what only fills up. */
  public int[] withoutPadding() {
    return Arrays.copyOf(ids, nIds);
  }

  /** How many tokens there are without what only fills up. */
  public int lengthWithoutPadding() {
    return nIds;
  }

  /** Place of the token whose state speaks for the text. */
  public int pooled() {
    return pooled;
  }

  /** Tokens of the text that were cut off, as it is longer than the context; usually 0. */
  public int nDropped() {
    return nDropped;
  }
}
