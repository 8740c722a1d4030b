package dev.ocellus.vlm.nn;

import java.util.List;

/**
 * How rows fall into windows, within which they attend to each other: runs of windows of one
 * length, one run after the other.
 */
public record Windows(List<Run> runs) {
  /**
   * Windows that follow each other.
   *
   * @param count how many
   * @param length rows of each
   */
  public record Run(int count, int length) {
    int rows() {
      return count * length;
    }
  }

  public Windows {
    runs = List.copyOf(runs);
  }

  /** All {@code n} rows attend to each other. */
  public static Windows whole(int n) {
    return new Windows(List.of(new Run(1, n)));
  }
}
