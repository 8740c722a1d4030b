package dev.ocellus.vlm.vision;

import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.Normalize;
import dev.ocellus.vlm.image.RgbImage;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Tiles of one shape, which go through the encoder together.
 *
 * @param pixels normalized values, innermost dimension first
 * @param shape sizes in ggml order; with four sizes the last one counts the tiles, with fewer there
 *     is one tile
 * @param gridX patches across a tile
 * @param gridY patches down a tile
 * @param square where pixels stand patch by patch, the side of the squares of patches that stand
 *     together; 1 where they come line by line
 */
public record Tiles(float[] pixels, List<Long> shape, int gridX, int gridY, int square) {
  public Tiles {
    shape = List.copyOf(shape);
  }

  /** Tiles whose pixels stand in planes, or patch by patch, line by line. */
  public Tiles(float[] pixels, List<Long> shape, int gridX, int gridY) {
    this(pixels, shape, gridX, gridY, 1);
  }

  /** {@code n} planar RGB tiles of {@code width} by {@code height} pixels. */
  public static Tiles ofRgb(float[] pixels, int width, int height, int n, int patchSize) {
    return new Tiles(
        pixels,
        List.of((long) width, (long) height, 3L, (long) n),
        width / patchSize,
        height / patchSize);
  }

  /** A planar RGB tile that goes through the encoder on its own, even beside others like it. */
  public static Tiles alone(float[] pixels, int width, int height, int patchSize) {
    return new Tiles(
        pixels, List.of((long) width, (long) height, 3L), width / patchSize, height / patchSize);
  }

  /** Tiles from images of one size, at least one. */
  public static Tiles ofImages(List<RgbImage> images, Normalize normalize, int patchSize) {
    RgbImage first = images.getFirst();
    int length = first.width() * first.height() * 3;
    float[] pixels = new float[Math.multiplyExact(length, images.size())];
    for (int i = 0; i < images.size(); i++) {
      normalize.apply(images.get(i), pixels, i * length);
    }
    return ofRgb(pixels, first.width(), first.height(), images.size(), patchSize);
  }

  /** {@code n} tiles of the same shape. */
  public Tiles withCount(int n, float[] pixels) {
    return new Tiles(
        pixels, List.of(shape.get(0), shape.get(1), shape.get(2), (long) n), gridX, gridY, square);
  }

  /** The shape of {@code n} such tiles, for a graph that is not computed: there are no pixels. */
  public Tiles withCount(int n) {
    return withCount(n, new float[0]);
  }

  /** Whether pixels stand in planes, and not patch by patch. */
  boolean inPlanes() {
    return shape.get(2) % 3 == 0;
  }

  /**
   * Images that these are: one for each tile, but frames of a video where a tile has several, and
   * those of a grid whose planes go into the encoder together.
   */
  public int nImages() {
    if (!inPlanes()) {
      long patches = n() * shape.get(1) * shape.get(2);
      return Math.max(1, Math.toIntExact(patches / ((long) gridX * gridY)));
    }
    return shape.get(2) == 3 ? n() : n() * gridX * gridY;
  }

  /** Pixels of an image, whether they stand in planes or patch by patch. */
  public ImageSize size() {
    if (inPlanes()) {
      return new ImageSize(Math.toIntExact(shape.get(0)), Math.toIntExact(shape.get(1)));
    }
    int side = patchSide();
    return new ImageSize(gridX * side, gridY * side);
  }

  /** Writes a planar tile patch by patch, and each of those pixel by pixel. */
  void patchRows(int tile, float[] out, int offset) {
    int width = size().width();
    int plane = width * size().height();
    int side = width / gridX;
    int to = offset;
    for (int patch = 0; patch < gridX * gridY; patch++) {
      int corner = tile * 3 * plane + patch / gridX * side * width + patch % gridX * side;
      for (int i = 0; i < side * side; i++) {
        int pixel = corner + i / side * width + i % side;
        for (int channel = 0; channel < 3; channel++) {
          out[to++] = pixels[pixel + channel * plane];
        }
      }
    }
  }

  /**
   * Writes the lines of patches of a planar tile behind each other.
   *
   * @param column where they begin
   * @param length of a line of {@code out}, which has as many as a patch, three times
   * @return columns written
   */
  int bands(int tile, float[] out, int column, int length) {
    int width = size().width();
    int height = size().height();
    int side = height / gridY;
    int from = tile * 3 * width * height;
    for (int y = 0; y < 3 * height; y++, from += width) {
      int line = y / height * side + y % side;
      int to = line * length + column + y % height / side * width;
      System.arraycopy(pixels, from, out, to, width);
    }
    return gridY * width;
  }

  /** Side of a patch, where pixels stand patch by patch. */
  int patchSide() {
    return (int) Math.sqrt(shape.get(0) / 3.0);
  }

  /** How many tiles. */
  public int n() {
    return shape.size() == 4 ? Math.toIntExact(shape.get(3)) : 1;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Tiles that
        && gridX == that.gridX
        && gridY == that.gridY
        && square == that.square
        && shape.equals(that.shape)
        && Arrays.equals(pixels, that.pixels);
  }

  @Override
  public int hashCode() {
    return Objects.hash(gridX, gridY, shape, Arrays.hashCode(pixels));
  }

  @Override
  public String toString() {
    return "Tiles[%s, %d x %d patches]".formatted(shape, gridX, gridY);
  }
}
