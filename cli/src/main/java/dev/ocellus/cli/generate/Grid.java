package dev.ocellus.cli.generate;

import dev.ocellus.vlm.image.RgbImage;
import java.util.List;

/** Images of one size side by side, in rows about as long as there are. */
final class Grid {
  private Grid() {}

  static RgbImage of(List<RgbImage> images) {
    if (images.size() == 1) {
      return images.getFirst();
    }
    int columns = (int) Math.ceil(Math.sqrt(images.size()));
    if (images.size() <= 8 && images.size() % 2 == 0 && columns * columns != images.size()) {
      columns = images.size() > 4 ? images.size() / 2 : images.size();
    }
    int rows = Math.ceilDiv(images.size(), columns);
    int width = images.getFirst().width();
    int height = images.getFirst().height();
    int total = width * columns;
    byte[] grid = new byte[RgbImage.byteCount(total, height * rows)];
    for (int i = 0; i < images.size(); i++) {
      byte[] rgb = images.get(i).toByteArray();
      int left = i % columns * width;
      int top = i / columns * height;
      for (int y = 0; y < height; y++) {
        System.arraycopy(rgb, 3 * y * width, grid, 3 * ((top + y) * total + left), 3 * width);
      }
    }
    return RgbImage.wrap(total, height * rows, grid);
  }
}
