package dev.ocellus.vlm.model.tiling;

import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.Preprocess;
import dev.ocellus.vlm.image.ResizeFilter;
import dev.ocellus.vlm.image.Rgb;
import dev.ocellus.vlm.image.RgbImage;

/**
 * How Llama 3.2 Vision cuts images: each is put, with its aspect ratio, at the left top of a canvas
 * of some tiles, the one that it has to be enlarged least for or else shrunk least.
 *
 * <p>The reference is {@code MllamaImageProcessorPil} of transformers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/mllama/image_processing_pil_mllama.py">image_processing_pil_mllama.py</a>.
 *
 * @param maxTiles most tiles
 * @param side pixels of a side of a tile
 */
public record TiledCanvas(int maxTiles, int side, ResizeFilter filter) {
  /**
   * Tiles of a canvas.
   *
   * @param down tiles from top to bottom
   * @param across tiles from left to right
   */
  public record Arrangement(int down, int across) {
    public int count() {
      return down * across;
    }
  }

  /** The canvas for an image. */
  public Arrangement arrangement(ImageSize size) {
    Arrangement best = null;
    double bestScale = 0;
    for (int down = 1; down <= maxTiles; down++) {
      for (int across = 1; down * across <= maxTiles; across++) {
        double scale =
            Math.min(
                (double) (down * side) / size.height(), (double) (across * side) / size.width());
        var candidate = new Arrangement(down, across);
        if (best == null || isBetter(scale, candidate, bestScale, best)) {
          best = candidate;
          bestScale = scale;
        }
      }
    }
    if (best == null) {
      throw new IllegalStateException("no tiles");
    }
    return best;
  }

  /** Of those that enlarge the least, else of those that shrink the least; then the smaller. */
  private static boolean isBetter(
      double scale, Arrangement candidate, double bestScale, Arrangement best) {
    if (scale == bestScale) {
      return candidate.count() < best.count();
    }
    if (scale >= 1) {
      return bestScale < 1 || scale < bestScale;
    }
    return bestScale < 1 && scale > bestScale;
  }

  /** The image on its canvas; what it does not cover is black. */
  public RgbImage canvas(RgbImage image, Arrangement tiles) {
    ImageSize canvas = size(tiles);
    ImageSize size = fitted(image.size(), tiles);
    return Preprocess.stretch(image, size.width(), size.height(), filter)
        .pad(
            0, 0, canvas.width() - size.width(), canvas.height() - size.height(), new Rgb(0, 0, 0));
  }

  /** Pixels of a canvas. */
  public ImageSize size(Arrangement tiles) {
    return new ImageSize(tiles.across * side, tiles.down * side);
  }

  /** The size of an image on its canvas. */
  public ImageSize fitted(ImageSize image, Arrangement tiles) {
    ImageSize canvas = size(tiles);
    int targetWidth = Math.clamp(image.width(), side, canvas.width());
    int targetHeight = Math.clamp(image.height(), side, canvas.height());
    double scaleX = (double) targetWidth / image.width();
    double scaleY = (double) targetHeight / image.height();
    int width = targetWidth;
    int height = targetHeight;
    if (scaleX < scaleY) {
      height = Math.min(Math.max(1, (int) Math.floor(image.height() * scaleX)), targetHeight);
    } else {
      width = Math.min(Math.max(1, (int) Math.floor(image.width() * scaleY)), targetWidth);
    }
    return new ImageSize(width, height);
  }
}
