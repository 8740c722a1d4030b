package dev.ocellus.vlm.model.tiling;

import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.Resize;
import dev.ocellus.vlm.image.ResizeFilter;
import dev.ocellus.vlm.image.Rgb;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.model.tiling.TiledCanvas.Arrangement;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * How Llama 4 cuts images: each is put, with its aspect ratio, at the left top of a canvas of some
 * tiles, as Llama 3.2's are, and where there are several the whole image follows, stretched to one
 * more.
 *
 * <p>The reference is {@code Llama4ImageProcessor} of transformers, which divides sizes in single
 * precision where they are tensors, and in double precision where they are numbers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/llama4/image_processing_llama4.py">image_processing_llama4.py</a>.
 *
 * @param maxTiles most tiles, without the one of the whole image
 * @param side pixels of a side of a tile
 * @param fillsCanvas whether the canvas is the one that the image can be enlarged most for, instead
 *     of least, and images are enlarged to it
 */
public record Llama4Tiles(int maxTiles, int side, boolean fillsCanvas, ResizeFilter filter) {
  /** The same with fewer tiles. */
  public Llama4Tiles atMost(int tiles) {
    return new Llama4Tiles(Math.min(maxTiles, tiles), side, fillsCanvas, filter);
  }

  /** The canvas for an image. */
  public Arrangement arrangement(ImageSize size) {
    List<Arrangement> all = arrangements();
    Arrangement best = all.getFirst();
    float bestScale = scale(best, size);
    for (Arrangement candidate : all) {
      float scale = scale(candidate, size);
      if (isBetter(scale, bestScale) || (scale == bestScale && candidate.count() < best.count())) {
        best = candidate;
        bestScale = scale;
      }
    }
    return best;
  }

  /** In the reference's order: by aspect ratio, as ratios are met from the most tiles on. */
  private List<Arrangement> arrangements() {
    Map<Double, List<Arrangement>> byRatio = new LinkedHashMap<>();
    for (int count = maxTiles; count > 0; count--) {
      for (int down = 1; down <= count; down++) {
        if (count % down == 0) {
          int across = count / down;
          byRatio
              .computeIfAbsent((double) down / across, ratio -> new ArrayList<>())
              .add(new Arrangement(down, across));
        }
      }
    }
    return byRatio.values().stream().flatMap(List::stream).toList();
  }

  private float scale(Arrangement tiles, ImageSize size) {
    float x = (float) (tiles.across() * side) / size.width();
    float y = (float) (tiles.down() * side) / size.height();
    return Math.min(x, y);
  }

  /** Of those that enlarge, the least or the most; else the one that shrinks the least. */
  private boolean isBetter(float scale, float best) {
    if (scale >= 1 && best >= 1) {
      return fillsCanvas ? scale > best : scale < best;
    }
    return scale > best;
  }

  /** The tiles of the canvas, line by line, and behind several the whole image. */
  public List<RgbImage> cut(RgbImage image, Arrangement tiles) {
    ImageSize size = size(image.size(), tiles);
    RgbImage canvas =
        Resize.resizeAsTorch(image, size, filter)
            .pad(
                0,
                0,
                tiles.across() * side - size.width(),
                tiles.down() * side - size.height(),
                Rgb.BLACK);
    List<RgbImage> all = new ArrayList<>();
    for (int i = 0; i < tiles.count(); i++) {
      int x = i % tiles.across() * side;
      int y = i / tiles.across() * side;
      all.add(canvas.crop(x, y, side, side));
    }
    if (tiles.count() > 1) {
      all.add(Resize.resizeAsTorch(image, new ImageSize(side, side), filter));
    }
    return all;
  }

  /** The size of an image on its canvas, rounded down as the reference rounds. */
  public ImageSize size(ImageSize image, Arrangement tiles) {
    Axis x = axis(image.width(), tiles.across() * side);
    Axis y = axis(image.height(), tiles.down() * side);
    boolean single = x.single || y.single;
    boolean byWidth = single ? (float) x.scale < (float) y.scale : x.scale < y.scale;
    return byWidth ? new ImageSize(x.target, y.scaled(x)) : new ImageSize(x.scaled(y), y.target);
  }

  /**
   * @param length of the image
   * @param target that it may have on the canvas
   * @param single whether the reference has that in a tensor, and divides in single precision
   */
  private record Axis(int length, int target, boolean single, double scale) {
    /** This length by another axis' scale. */
    int scaled(Axis other) {
      double exact = length * other.scale;
      int floor = (int) Math.floor(other.single ? (float) length * (float) other.scale : exact);
      return Math.max(1, Math.min(floor, target));
    }
  }

  private Axis axis(int length, int canvas) {
    int wanted = Math.max(length, side);
    boolean single = fillsCanvas || canvas < wanted;
    int target = single ? canvas : wanted;
    double scale = single ? (float) target / (float) length : (double) target / length;
    return new Axis(length, target, single, scale);
  }
}
