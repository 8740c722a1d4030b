package dev.ocellus.vlm.template;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The {@code wordwrap} filter: Python's textwrap on each line. */
final class WordWrap {
  private final Evaluation in;
  private final Text line;
  private final String s;
  private final int width;
  private final boolean breakLong;
  private final boolean hyphens;
  private final List<Text> lines = new ArrayList<>();

  private WordWrap(Evaluation in, Text line, int width, boolean breakLong, boolean hyphens) {
    this.in = in;
    this.line = line;
    this.s = line.text();
    this.width = width;
    this.breakLong = breakLong;
    this.hyphens = hyphens;
  }

  static Text filter(Evaluation in, Object value, Arguments args) {
    @Nullable Object[] a =
        args.bind("wordwrap", 0, "width", "break_long_words", "wrapstring", "break_on_hyphens");
    Text t = TextMethods.text(value);
    int width = Numbers.toCount(Filters.or(a[0], 79L), "width");
    if (width <= 0) {
      throw Fail.value("invalid width " + width + " (must be > 0)");
    }
    Object wrap = a[2];
    Text separator =
        wrap == null || wrap == None.NONE ? Text.ofAscii('\n') : TextMethods.text(wrap);
    boolean breakLong = a[1] == null || Values.truthy(a[1]);
    boolean hyphens = a[3] == null || Values.truthy(a[3]);
    TextBuilder out = in.text();
    boolean first = true;
    for (Text line : TextOps.lines(in, t.plain(), false)) {
      List<Text> wrapped = new WordWrap(in, line, width, breakLong, hyphens).wrap();
      if (!first) {
        out.append(separator);
      }
      for (int i = 0; i < wrapped.size(); i++) {
        out.append(i == 0 ? Text.EMPTY : separator).append(wrapped.get(i));
      }
      first = false;
    }
    return in.built(out);
  }

  /** Offsets where chunks end: words, runs of white space, and parts of words after a hyphen. */
  private List<Integer> chunks() {
    List<Integer> ends = new ArrayList<>();
    int at = 0;
    while (at < s.length()) {
      boolean space = TextOps.isSpace(s.charAt(at));
      int end = at + 1;
      while (end < s.length() && TextOps.isSpace(s.charAt(end)) == space) {
        if (!space && hyphens && breaksAfter(end - 1, at)) {
          break;
        }
        end++;
      }
      ends.add(end);
      at = end;
    }
    return ends;
  }

  private boolean breaksAfter(int i, int wordStart) {
    return s.charAt(i) == '-'
        && i - wordStart >= 2
        && Character.isLetter(s.charAt(i - 1))
        && Character.isLetter(s.charAt(i - 2))
        && i + 2 < s.length()
        && Character.isLetter(s.charAt(i + 1))
        && Character.isLetter(s.charAt(i + 2));
  }

  private List<Text> wrap() {
    int lineStart = 0;
    int at = 0;
    for (int chunkEnd : chunks()) {
      int start = at;
      at = chunkEnd;
      boolean space = TextOps.isSpace(s.charAt(start));
      if (start == lineStart && space && !lines.isEmpty()) {
        lineStart = at;
        continue;
      }
      if (at - lineStart <= width) {
        continue;
      }
      if (space) {
        add(lineStart, start);
        lineStart = at;
        continue;
      }
      if (at - start <= width || !breakLong) {
        if (start > lineStart) {
          add(lineStart, start);
        }
        lineStart = start;
        continue;
      }
      while (at - lineStart > width) {
        add(lineStart, lineStart + width);
        lineStart += width;
      }
    }
    if (lineStart < s.length()) {
      add(lineStart, s.length());
    }
    return lines;
  }

  private void add(int from, int to) {
    in.chargeItems(1);
    in.steps(4);
    int end = to;
    while (end > from && TextOps.isSpace(s.charAt(end - 1))) {
      end--;
    }
    if (end > from) {
      lines.add(line.slice(from, end));
    }
  }
}
