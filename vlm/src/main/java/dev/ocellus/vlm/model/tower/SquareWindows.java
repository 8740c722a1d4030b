package dev.ocellus.vlm.model.tower;

import dev.ocellus.ggml.Tensor;
import java.util.Arrays;

/**
 * A square of rows cut into windows of a size, line by line; those at the right and at the bottom
 * are filled up with zeros.
 *
 * @param grid rows of the square's side
 * @param window rows of a window's side
 */
record SquareWindows(int grid, int window) {
  private int perSide() {
    return Math.ceilDiv(grid, window);
  }

  /** From [width, grid², n] to [width, window², windows · n]. */
  Tensor cut(SharedTables tables, Tensor x) {
    int n = Math.toIntExact(x.size(2));
    int nRows = grid * grid * n;
    int perWindow = window * window;
    int nWindows = perSide() * perSide();
    int width = Math.toIntExact(x.size(0));
    Tensor zeros = tables.table("windows.zeros", () -> new float[width], width, 1);
    return x.reshape(x.size(0), nRows)
        .concat(zeros, 1)
        .getRows(tables.indices("windows.cut", () -> sources(n), nRows + 1L))
        .reshape(x.size(0), perWindow, (long) nWindows * n);
  }

  /**
   * The back of it, without what was filled up.
   *
   * @param n squares
   */
  Tensor joined(SharedTables tables, Tensor x, long n) {
    int all = Math.toIntExact(x.size(1) * x.size(2));
    return x.reshape(x.size(0), all)
        .getRows(tables.indices("windows.joined", () -> targets(Math.toIntExact(n)), all))
        .reshape(x.size(0), (long) grid * grid, n);
  }

  /** For each row of a window which row of the squares it is; the one behind them for zeros. */
  private int[] sources(int n) {
    int perWindow = window * window;
    int nWindows = perSide() * perSide();
    int[] rows = new int[perWindow * nWindows * n];
    Arrays.setAll(
        rows,
        i -> {
          int within = i % perWindow;
          int which = i / perWindow % nWindows;
          int column = which % perSide() * window + within % window;
          int line = which / perSide() * window + within / window;
          int image = i / (perWindow * nWindows);
          return column < grid && line < grid
              ? (image * grid + line) * grid + column
              : grid * grid * n;
        });
    return rows;
  }

  /** For each row of the squares which row of the windows it became. */
  private int[] targets(int n) {
    int perWindow = window * window;
    int nWindows = perSide() * perSide();
    int[] rows = new int[grid * grid * n];
    Arrays.setAll(
        rows,
        i -> {
          int column = i % grid;
          int line = i / grid % grid;
          int which = line / window * perSide() + column / window;
          int within = line % window * window + column % window;
          return (i / (grid * grid) * nWindows + which) * perWindow + within;
        });
    return rows;
  }
}
