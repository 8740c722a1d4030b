package dev.ocellus.vlm.model;

import dev.ocellus.vlm.image.Normalize;
import dev.ocellus.vlm.image.RgbImage;
import java.util.List;

/**
 * Tiles of one shape, which go through the encoder together.
 *
 * @param pixels normalized values, innermost dimension first
 * @param shape sizes in ggml order; with four sizes the last one counts the tiles, with fewer there
 *     is one tile
 * @param gridX patches across a tile
 * @param gridY patches down a tile
 */
public record Tiles(float[] pixels, List<Long> shape, int gridX, int gridY) {
  public Tiles {
    shape = List.copyOf(shape);
  }

  /** {@code n} planar RGB tiles of {@code width} by {@code height} pixels. */
  public static Tiles ofRgb(float[] pixels, int width, int height, int n, int patchSize) {
    return new Tiles(
        pixels,
        List.of((long) width, (long) height, 3L, (long) n),
        width / patchSize,
        height / patchSize);
  }

  /** Tiles from pictures of one size, at least one. */
  public static Tiles ofImages(List<RgbImage> images, Normalize normalize, int patchSize) {
    RgbImage first = images.getFirst();
    int length = first.width() * first.height() * 3;
    float[] pixels = new float[Math.multiplyExact(length, images.size())];
    for (int i = 0; i < images.size(); i++) {
      normalize.apply(images.get(i), pixels, i * length);
    }
    return ofRgb(pixels, first.width(), first.height(), images.size(), patchSize);
  }

  /** Number of tiles. */
  public int n() {
    return shape.size() == 4 ? Math.toIntExact(shape.get(3)) : 1;
  }
}
