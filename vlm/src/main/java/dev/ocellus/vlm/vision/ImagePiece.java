package dev.ocellus.vlm.vision;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** What stands at the place of an image in a prompt: image embeddings, and text around them. */
public sealed interface ImagePiece {
  /**
   * Text that the family writes, such as a line break; control tokens are allowed in it.
   *
   * @param text never empty
   */
  record Text(String text) implements ImagePiece {}

  /**
   * Places on a plane, for rotary positions with axes.
   *
   * @param lines of each embedding, from the position of the first one on; may be negative
   * @param columns likewise
   * @param positions that they take up
   */
  record Canvas(List<Integer> lines, List<Integer> columns, int positions) {
    public Canvas {
      lines = List.copyOf(lines);
      columns = List.copyOf(columns);
      if (lines.size() != columns.size() || positions < 1) {
        throw new IllegalArgumentException(
            "%d lines and %d columns of %d positions"
                .formatted(lines.size(), columns.size(), positions));
      }
    }
  }

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
   * @param canvas where each stands, if on no grid but on a plane; null for others
   */
  record Embeddings(
      int count,
      int gridX,
      int gridY,
      List<Integer> times,
      boolean numbered,
      @Nullable Canvas canvas)
      implements ImagePiece {
    public Embeddings {
      times = List.copyOf(times);
      boolean right =
          gridX > 0
              ? canvas == null
                  && gridY > 0
                  && (long) gridX * gridY <= count
                  && (long) gridX * gridY * times.size() == count
                  && ascending(times)
              : gridX == 0
                  && gridY == 0
                  && times.isEmpty()
                  && count > 0
                  && !numbered
                  && (canvas == null || canvas.lines.size() == count);
      if (!right) {
        throw new IllegalArgumentException(
            "%d image embeddings on %d grids of %d x %d"
                .formatted(count, times.size(), gridX, gridY));
      }
    }

    /** Embeddings on grids, or whose positions follow each other. */
    public Embeddings(int count, int gridX, int gridY, List<Integer> times, boolean numbered) {
      this(count, gridX, gridY, times, numbered, null);
    }

    /** Embeddings on grids that have times, or whose positions follow each other. */
    public Embeddings(int count, int gridX, int gridY, List<Integer> times) {
      this(count, gridX, gridY, times, false);
    }

    /** Embeddings that stand on a plane, all at one time. */
    public static Embeddings on(Canvas canvas) {
      return new Embeddings(canvas.lines.size(), 0, 0, List.of(), false, canvas);
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
      return gridX > 0 || canvas != null;
    }

    /** Whether several grids stand at one position in time. */
    public boolean sharesTimes() {
      return times.stream().distinct().count() < times.size();
    }

    /** Position of an embedding in time, from that of the first one on. */
    public int time(int row) {
      return canvas != null ? 0 : times.get(row / (gridX * gridY));
    }

    /** Position of an embedding downwards, from that of the first one on. */
    public int line(int row) {
      return canvas != null ? canvas.lines.get(row) : row % (gridX * gridY) / gridX;
    }

    /** Position of an embedding across, from that of the first one on. */
    public int column(int row) {
      return canvas != null ? canvas.columns.get(row) : row % gridX;
    }

    /**
     * Positions that the embeddings take up: text goes on behind the longest axis.
     *
     * <p>So did transformers up to 4.x; 5.18 looks at the sides only, by which text may come to
     * stand before the end of a video, where llama.cpp would not let it see the video.
     */
    public int positions() {
      if (canvas != null) {
        return canvas.positions;
      }
      return onGrid() && !numbered ? Math.max(Math.max(gridX, gridY), times.getLast() + 1) : count;
    }
  }
}
