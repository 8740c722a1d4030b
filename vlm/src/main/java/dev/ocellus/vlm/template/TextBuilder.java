package dev.ocellus.vlm.template;

import java.util.Arrays;

/** Builds a {@link Text} piece by piece and refuses to grow beyond a limit. */
final class TextBuilder {
  private final StringBuilder value;
  private final int maxLength;
  private int[] ends = new int[8];
  private Origin[] origins = new Origin[8];
  private int count;

  TextBuilder(int maxLength) {
    this(maxLength, 64);
  }

  TextBuilder(int maxLength, int capacity) {
    this.maxLength = maxLength;
    this.value = new StringBuilder(capacity);
  }

  int length() {
    return value.length();
  }

  /** Fails before {@code more} units are added that the limit does not allow. */
  void reserve(long more) {
    if (value.length() + more > maxLength) {
      throw Fail.limit(
          "the template makes a text longer than " + maxLength + " characters; is it looping?");
    }
  }

  TextBuilder append(String s, Origin origin) {
    return append(s, 0, s.length(), origin);
  }

  /** Text that the template wrote. */
  TextBuilder append(String s) {
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

  TextBuilder appendCodePoint(int c, Origin origin) {
    reserve(2);
    value.appendCodePoint(c);
    mark(origin);
    return this;
  }

  TextBuilder repeat(String s, long times, Origin origin) {
    if (times <= 0 || s.isEmpty()) {
      return this;
    }
    reserve(times > maxLength ? times : times * s.length());
    value.repeat(s, (int) times);
    mark(origin);
    return this;
  }

  TextBuilder append(Text t) {
    return append(t, 0, t.length());
  }

  TextBuilder append(Text t, int from, int to) {
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

  Text build() {
    return Text.pieces(value.toString(), ends, origins, count);
  }
}
