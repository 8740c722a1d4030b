package dev.ocellus.vlm.template.text;

import java.util.Arrays;

/** Builds a {@link TracedText} piece by piece and refuses to grow beyond a limit. */
public final class TextBuilder {
  private final StringBuilder value;
  private final int maxLength;
  private int[] ends = new int[8];
  private Origin[] origins = new Origin[8];
  private int count;

  /**
   * A text of at most so many UTF-16 units.
   *
   * @param maxLength beyond which everything that adds to the text throws {@link
   *     TextTooLongException}
   */
  public TextBuilder(int maxLength) {
    this(maxLength, 64);
  }

  /**
   * As {@link #TextBuilder(int)}.
   *
   * @param capacity units that there is room for at first
   */
  public TextBuilder(int maxLength, int capacity) {
    this.maxLength = maxLength;
    this.value = new StringBuilder(capacity);
  }

  public int length() {
    return value.length();
  }

  /** Fails before {@code more} units are added that the limit does not allow. */
  public void reserve(long more) {
    if (value.length() + more > maxLength) {
      throw new TextTooLongException(maxLength);
    }
  }

  /** Text that came from somewhere. */
  public TextBuilder append(String s, Origin origin) {
    return append(s, 0, s.length(), origin);
  }

  /** Text that the template wrote. */
  public TextBuilder append(String s) {
    return append(s, Origin.TEMPLATE);
  }

  private TextBuilder append(String s, int from, int to, Origin origin) {
    if (from >= to) {
      return this;
    }
    reserve(to - from);
    value.append(s, from, to);
    mark(origin);
    return this;
  }

  /** A character. */
  public TextBuilder appendCodePoint(int c, Origin origin) {
    reserve(2);
    value.appendCodePoint(c);
    mark(origin);
    return this;
  }

  /** A text several times; a count below one adds nothing. */
  public TextBuilder repeat(String s, long times, Origin origin) {
    if (times <= 0 || s.isEmpty()) {
      return this;
    }
    reserve(times > maxLength ? times : times * s.length());
    value.repeat(s, (int) times);
    mark(origin);
    return this;
  }

  /** A text, each of its pieces with its origin. */
  public TextBuilder append(TracedText t) {
    return append(t, 0, t.length());
  }

  /** Units from {@code from} (inclusive) to {@code to} (exclusive) of a text. */
  public TextBuilder append(TracedText t, int from, int to) {
    if (from >= to) {
      return this;
    }
    Origin uniform = t.uniformOrigin();
    if (uniform != null) {
      return append(t.text(), from, to, uniform);
    }
    int start = 0;
    for (int i = 0; i < t.pieceCount() && start < to; i++) {
      int end = t.pieceEnd(i);
      append(t.text(), Math.max(start, from), Math.min(end, to), t.pieceOrigin(i));
      start = end;
    }
    return this;
  }

  private void mark(Origin origin) {
    if (count > 0 && origins[count - 1] == origin) {
      ends[count - 1] = value.length();
      return;
    }
    if (count == ends.length) {
      ends = Arrays.copyOf(ends, count * 2);
      origins = Arrays.copyOf(origins, count * 2);
    }
    ends[count] = value.length();
    origins[count++] = origin;
  }

  public TracedText build() {
    return TracedText.pieces(value.toString(), ends, origins, count);
  }
}
