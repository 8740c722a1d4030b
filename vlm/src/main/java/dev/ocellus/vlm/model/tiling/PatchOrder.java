package dev.ocellus.vlm.model.tiling;

import java.util.Arrays;

/**
 * Row and column of every patch, in the order in which they are encoded.
 *
 * @param rows by patch
 * @param columns by patch
 */
public record PatchOrder(int[] rows, int[] columns) {
  /**
   * Token by token, line by line, and within a token line by line.
   *
   * @param gridX patches across, a multiple of {@code merge}
   * @param gridY patches down, likewise
   * @param merge patches of a token's side
   */
  public static PatchOrder of(int gridX, int gridY, int merge) {
    int[] rows = new int[gridX * gridY];
    int[] columns = new int[gridX * gridY];
    int i = 0;
    for (int tokenY = 0; tokenY < gridY; tokenY += merge) {
      for (int tokenX = 0; tokenX < gridX; tokenX += merge) {
        for (int y = 0; y < merge; y++) {
          for (int x = 0; x < merge; x++) {
            rows[i] = tokenY + y;
            columns[i++] = tokenX + x;
          }
        }
      }
    }
    return new PatchOrder(rows, columns);
  }

  /** Number of patches. */
  public int n() {
    return rows.length;
  }

  /** Number of every patch where they are counted line by line. */
  public int[] lines() {
    int width = Arrays.stream(columns).max().orElse(0) + 1;
    int[] lines = new int[rows.length];
    Arrays.setAll(lines, i -> rows[i] * width + columns[i]);
    return lines;
  }

  /** The tokens of this order rearranged: token i is what was token {@code tokens[i]}. */
  public PatchOrder rearranged(int[] tokens) {
    int perToken = rows.length / tokens.length;
    int[] newRows = new int[rows.length];
    int[] newColumns = new int[rows.length];
    for (int i = 0; i < tokens.length; i++) {
      System.arraycopy(rows, tokens[i] * perToken, newRows, i * perToken, perToken);
      System.arraycopy(columns, tokens[i] * perToken, newColumns, i * perToken, perToken);
    }
    return new PatchOrder(newRows, newColumns);
  }
}
