package dev.ocellus.vlm.vision;

import java.util.List;

/** What stands at the place of an image in a prompt: image embeddings, and text around them. */
public sealed interface ImagePiece {
  /**
   * Text that the family writes, such as a line break; control tokens are allowed in it.
   *
   * @param text never empty
   */
  record Text(String text) implements ImagePiece {}

  /**
   * The next {@code count} embeddings of the image.
   *
   * @param count how many embeddings
   * @param gridX embeddings of a line where positions have axes, else 0
   * @param gridY lines where positions have axes, else 0
   * @param times position in time of each grid, from 0 on and never going back, where positions
   *     have axes
   * @param numbered whether the axes are the place in the line, column, line and number of the
   *     image in the conversation, instead of time, height and width
   */
  record Embeddings(int count, int gridX, int gridY, List<Integer> times, boolean numbered)
      implements ImagePiece {
    public Embeddings {
      times = List.copyOf(times);
      boolean right =
          gridX > 0
              ? gridY > 0
                  && (long) gridX * gridY <= count
                  && (long) gridX * gridY * times.size() == count
                  && ascending(times)
              : gridX == 0 && gridY == 0 && times.isEmpty() && count > 0 && !numbered;
      if (!right) {
        throw new IllegalArgumentException(
            "%d image embeddings on %d grids of %d x %d"
                .formatted(count, times.size(), gridX, gridY));
      }
    }

    /** Embeddings on grids that have times, or whose positions follow each other. */
    public Embeddings(int count, int gridX, int gridY, List<Integer> times) {
      this(count, gridX, gridY, times, false);
    }

    private static boolean ascending(List<Integer> times) {
      int before = 0;
      for (int time : times) {
        if (time < before || time == Integer.MAX_VALUE) {
          return false;
        }
        before = time;
      }
      return true;
    }

    /** Embeddings whose positions follow each other as those of text do. */
    public static Embeddings of(int count) {
      return new Embeddings(count, 0, 0, List.of());
    }

    /**
     * Embeddings on a grid, for rotary positions with axes (time, height, width): all share the
     * time, and text goes on behind the longer side.
     */
    public static Embeddings grid(int gridX, int gridY) {
      return grids(gridX, gridY, List.of(0));
    }

    /** Embeddings of several grids, such as of a video, each with its time. */
    public static Embeddings grids(int gridX, int gridY, List<Integer> times) {
      return new Embeddings(Math.multiplyExact(gridX * gridY, times.size()), gridX, gridY, times);
    }

    /**
     * Embeddings on a grid, for rotary positions with four axes: the place in the line, as text has
     * it, column and line from 0 on, and the number of the image in the conversation.
     */
    public static Embeddings numberedGrid(int gridX, int gridY) {
      return new Embeddings(Math.multiplyExact(gridX, gridY), gridX, gridY, List.of(0), true);
    }

    /** Whether positions have axes. */
    public boolean onGrid() {
      return gridX > 0;
    }

    /** Position of an embedding in time, from that of the first one on. */
    public int time(int row) {
      return times.get(row / (gridX * gridY));
    }

    /** Position of an embedding downwards, from that of the first one on. */
    public int line(int row) {
      return row % (gridX * gridY) / gridX;
    }

    /** Position of an embedding across, from that of the first one on. */
    public int column(int row) {
      return row % gridX;
    }

    /**
     * Positions that the embeddings take up: text goes on behind the longest axis.
     *
     * <p>So did transformers up to 4.x; 5.18 looks at the sides only, by which text may come to
     * stand before the end of a video, where llama.cpp would not let it see the video.
     */
    public int positions() {
      return onGrid() && !numbered ? Math.max(Math.max(gridX, gridY), times.getLast() + 1) : count;
    }
  }
}
