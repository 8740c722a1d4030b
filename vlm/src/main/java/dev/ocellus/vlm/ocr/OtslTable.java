package dev.ocellus.vlm.ocr;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * A table in OTSL (arXiv:2305.03393): cells one after the other, with tokens for those that are
 * part of the cell to the left or above. In Markdown such cells are empty.
 */
final class OtslTable {
  private static final Set<String> CELLS = Set.of("fcel", "ched", "rhed", "srow");
  private static final Set<String> EMPTY = Set.of("ecel", "lcel", "ucel", "xcel");

  private final List<List<StringBuilder>> rows = new ArrayList<>();
  private boolean newRow = true;
  private boolean takesText;

  boolean isBegun() {
    return !rows.isEmpty();
  }

  /** Takes a tag if it is one of a table's. */
  boolean tag(String name) {
    if (name.equals("nl")) {
      newRow = true;
      takesText = false;
      return true;
    }
    if (!CELLS.contains(name) && !EMPTY.contains(name)) {
      return false;
    }
    if (newRow) {
      rows.add(new ArrayList<>());
      newRow = false;
    }
    rows.getLast().add(new StringBuilder());
    takesText = CELLS.contains(name);
    return true;
  }

  void text(String text) {
    if (takesText) {
      rows.getLast().getLast().append(text);
    }
  }

  String markdown() {
    int width = rows.stream().mapToInt(List::size).max().orElse(0);
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < rows.size(); i++) {
      out.append('|');
      for (int j = 0; j < width; j++) {
        String cell = j < rows.get(i).size() ? rows.get(i).get(j).toString() : "";
        out.append(' ')
            .append(cell.strip().replaceAll("\\s*\\R\\s*", " ").replace("|", "\\|"))
            .append(" |");
      }
      out.append('\n');
      if (i == 0) {
        out.append('|').append(" --- |".repeat(width)).append('\n');
      }
    }
    return out.toString().strip();
  }
}
