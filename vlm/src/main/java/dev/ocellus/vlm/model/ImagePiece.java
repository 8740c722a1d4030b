package dev.ocellus.vlm.model;

/** What stands at the place of a picture in a prompt: rows of embeddings, and text around them. */
public sealed interface ImagePiece {
  /**
   * Text that the architecture writes, such as a row break; control tokens are allowed in it.
   *
   * @param text never empty
   */
  record Text(String text) implements ImagePiece {}

  /**
   * The next {@code count} rows of the picture's embeddings.
   *
   * @param count number of rows
   * @param gridX rows of a line where positions have axes, else 0
   * @param gridY lines where positions have axes, else 0
   */
  record Rows(int count, int gridX, int gridY) implements ImagePiece {
    /** Rows whose positions follow each other as those of text do. */
    public static Rows of(int count) {
      return new Rows(count, 0, 0);
    }

    /**
     * Rows on a grid, for rotary positions with axes (time, height, width): all share the time, and
     * text goes on behind the longer side.
     */
    public static Rows grid(int gridX, int gridY) {
      return new Rows(gridX * gridY, gridX, gridY);
    }

    /** Positions that the rows take up. */
    public int positions() {
      return gridX > 0 ? Math.max(gridX, gridY) : count;
    }
  }
}
