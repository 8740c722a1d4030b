package dev.ocellus.vlm.decode;

import dev.ocellus.vlm.vision.EncodedImage;
import dev.ocellus.vlm.vision.ImagePiece;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * One image on its plane: the whole in small, stretched over the plane where there are slices, the
 * slices beside each other as they lie in the image, and the tokens around them at their corners.
 */
final class CanvasFrame {
  /** Tokens between two slices of a line; more of them end it. */
  private static final int BETWEEN = 2;

  private final List<ContextEntry> entries;
  private final int thumbnail;

  /** Numbers of the entries that are slices. */
  private final List<Integer> slices = new ArrayList<>();

  private final int[] first; // rows before each entry
  private final int[] lines;
  private final int[] columns;
  private final int height;
  private final int width;

  /**
   * @param entries of the image, from the token before its thumbnail on, if there is one
   * @param thumbnail which of them is
   * @param position of the first, on every axis
   */
  CanvasFrame(List<ContextEntry> entries, int thumbnail, int position) {
    this.entries = entries;
    this.thumbnail = thumbnail;
    first = new int[entries.size() + 1];
    for (int i = 0; i < entries.size(); i++) {
      first[i + 1] = first[i] + entries.get(i).size();
      if (i > thumbnail && entries.get(i) instanceof ContextEntry.Image) {
        slices.add(i);
      }
    }
    lines = new int[first[entries.size()]];
    columns = new int[lines.length];
    int perLine = perLine();
    int sliceHeight = slices.isEmpty() ? 0 : grid(slices.getFirst()).gridY();
    int sliceWidth = slices.isEmpty() ? 0 : grid(slices.getFirst()).gridX();
    height = slices.isEmpty() ? grid(thumbnail).gridY() : slices.size() / perLine * sliceHeight;
    width = slices.isEmpty() ? grid(thumbnail).gridX() : perLine * sliceWidth;
    if (thumbnail > 0) {
      put(0, Math.max(position - 1, 0) - position, Math.max(position - 1, 0) - position);
    }
    if (thumbnail + 1 < entries.size()) {
      put(thumbnail + 1, height, width);
    }
    spread(
        thumbnail,
        stretched(height, grid(thumbnail).gridY()),
        stretched(width, grid(thumbnail).gridX()));
    for (int k = 0; k < slices.size(); k++) {
      placeSlice(slices.get(k), k / perLine * sliceHeight, k % perLine * sliceWidth);
    }
    for (int k = 0; k + 1 < slices.size(); k++) {
      endLine(slices.get(k), slices.get(k + 1), (k / perLine + 1) * sliceHeight - 1, width);
    }
  }

  private ImagePiece.Embeddings grid(int i) {
    return ((ContextEntry.Image) entries.get(i)).embeddings();
  }

  /** Slices of a line; all of them if lines are not of the same number. */
  private int perLine() {
    int n = Math.max(1, slices.size());
    for (int k = 0; k + 1 < slices.size(); k++) {
      if (slices.get(k + 1) - slices.get(k) - 1 > BETWEEN) {
        n = k + 1;
        break;
      }
    }
    return slices.size() % n == 0 ? n : slices.size();
  }

  private void put(int i, int line, int column) {
    Arrays.fill(lines, first[i], first[i + 1], line);
    Arrays.fill(columns, first[i], first[i + 1], column);
  }

  private void spread(int i, int[] downwards, int[] across) {
    int row = first[i];
    for (int line : downwards) {
      for (int column : across) {
        lines[row] = line;
        columns[row++] = column;
      }
    }
  }

  private void placeSlice(int i, int line, int column) {
    ImagePiece.Embeddings grid = grid(i);
    put(i - 1, line, column);
    if (i + 1 < entries.size()) {
      put(i + 1, line + grid.gridY() - 1, column + grid.gridX() - 1);
    }
    spread(i, shifted(line, grid.gridY()), shifted(column, grid.gridX()));
  }

  /** The tokens that end a line of slices, between the markers of two of them. */
  private void endLine(int slice, int next, int line, int column) {
    if (next - slice - 1 > BETWEEN) {
      for (int i = slice + 2; i < next - 1; i++) {
        put(i, line, column);
      }
    }
  }

  private static int[] shifted(int from, int n) {
    int[] out = new int[n];
    Arrays.setAll(out, i -> from + i);
    return out;
  }

  /** {@code torch.linspace(0, size - 1, n).round()}. */
  private static int[] stretched(int size, int n) {
    int[] out = new int[n];
    float last = size - 1;
    float step = n > 1 ? last / (n - 1) : 0;
    for (int i = 0; i < n; i++) {
      float at = i < n / 2 ? step * i : last - step * (n - 1 - i);
      out[i] = n > 1 ? (int) Math.rint(at) : 0;
    }
    return out;
  }

  /** All of it as one entry, which is not the same as any that differs in a token or an image. */
  ContextEntry.Image entry(CanvasPrompt.Table table) {
    int n = table.width();
    float[] rows = new float[Math.multiplyExact(lines.length, n)];
    StringBuilder key = new StringBuilder("canvas");
    for (int i = 0; i < entries.size(); i++) {
      int at = first[i] * n;
      switch (entries.get(i)) {
        case ContextEntry.Token(int id) -> {
          table.row(id, rows, at);
          key.append(' ').append(id);
        }
        case ContextEntry.Image image -> {
          System.arraycopy(image.image().values(), image.from() * n, rows, at, image.size() * n);
          key.append(' ').append(image.key()).append(':').append(image.from());
        }
      }
    }
    ImagePiece.Embeddings layout =
        ImagePiece.Embeddings.on(
            new ImagePiece.Canvas(boxed(lines), boxed(columns), Math.max(height, width) + 1));
    var whole = new EncodedImage(rows, lines.length, n, List.of(layout));
    return new ContextEntry.Image(key.toString(), whole, 0, layout);
  }

  private static List<Integer> boxed(int[] numbers) {
    return Arrays.stream(numbers).boxed().toList();
  }
}
