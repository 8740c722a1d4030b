package dev.ocellus.vlm.dual;

import java.util.Arrays;

/** The tokens of a text as a text tower takes them. */
public final class TextTokens {
  private final int[] ids;
  private final int from;
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
    this(ids, nPadded, padding, pooled, nDropped, 0);
  }

  private TextTokens(int[] ids, int nPadded, int padding, int pooled, int nDropped, int from) {
    this.ids = new int[Math.max(nPadded, ids.length)];
    Arrays.fill(this.ids, padding);
    System.arraycopy(ids, 0, this.ids, from, ids.length);
    this.from = from;
    this.nIds = ids.length;
    this.pooled = pooled;
    this.nDropped = nDropped;
  }

  /** The same with what fills up the rest in front of the tokens. */
  public static TextTokens paddedLeft(
      int[] ids, int nPadded, int padding, int pooled, int nDropped) {
    int from = Math.max(0, nPadded - ids.length);
    return new TextTokens(ids, nPadded, padding, pooled, nDropped, from);
  }

  /**
   * The same with one more token at the end, behind what fills up, whose state speaks for the text.
   *
   * @param nPadded how many tokens are computed, that one too
   */
  public static TextTokens endedBy(int last, int[] ids, int nPadded, int padding, int nDropped) {
    TextTokens tokens = new TextTokens(ids, nPadded, padding, nPadded - 1, nDropped);
    tokens.ids[nPadded - 1] = last;
    return tokens;
  }

  /** How many tokens stand in front of the text and only fill up. */
  public int paddingInFront() {
    return from;
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
    return Arrays.copyOfRange(ids, from, from + nIds);
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
