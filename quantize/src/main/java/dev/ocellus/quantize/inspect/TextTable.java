package dev.ocellus.quantize.inspect;

import java.util.ArrayList;
import java.util.List;

/** Columns as wide as their content; the last one is cut where the line would get too long. */
final class TextTable {
  private static final String GAP = "  ";

  private final boolean[] right;
  private final List<String[]> rows = new ArrayList<>();

  /**
   * @param columns one character per column: {@code l} or {@code r} for the side it is aligned to
   */
  TextTable(String columns) {
    right = new boolean[columns.length()];
    for (int i = 0; i < right.length; i++) {
      right[i] = columns.charAt(i) == 'r';
    }
  }

  void row(String... cells) {
    rows.add(cells);
  }

  /** Appends the table, each line indented by two; width 0 cuts nothing. */
  void appendTo(StringBuilder out, int width) {
    int[] widths = new int[right.length];
    for (String[] row : rows) {
      for (int i = 0; i < row.length; i++) {
        widths[i] = Math.max(widths[i], length(row[i]));
      }
    }
    for (String[] row : rows) {
      StringBuilder line = new StringBuilder();
      for (int i = 0; i < row.length; i++) {
        int pad = widths[i] - length(row[i]);
        line.append(GAP);
        if (right[i]) {
          line.repeat(' ', pad).append(row[i]);
        } else {
          line.append(row[i]).repeat(' ', pad);
        }
      }
      out.append(cut(line.toString().stripTrailing(), width)).append('\n');
    }
  }

  static String cut(String line, int width) {
    if (width == 0 || length(line) <= width) {
      return line;
    }
    return line.substring(0, line.offsetByCodePoints(0, Math.max(0, width - 1))) + "…";
  }

  private static int length(String s) {
    return s.codePointCount(0, s.length());
  }
}
