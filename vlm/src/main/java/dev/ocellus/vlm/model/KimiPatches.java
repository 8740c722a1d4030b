package dev.ocellus.vlm.model;

import dev.ocellus.Setting;
import dev.ocellus.vlm.image.ImageFormatException;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.Normalize;
import dev.ocellus.vlm.image.Rgb;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.vision.ImageInput;
import dev.ocellus.vlm.vision.ImagePiece;
import dev.ocellus.vlm.vision.Tiles;
import java.util.List;

/**
 * The last steps of the processors of Kimi-VL and Kimi K2.5: an image of a chosen size is padded
 * with black to whole tokens and cut into patches.
 *
 * @param merge patches of a token's side
 */
record KimiPatches(int patchSize, int merge, Normalize normalize) {
  /**
   * Refuses an image before its pixels are computed.
   *
   * @throws ImageFormatException if they are more than an encoder takes
   */
  void requireRoom(ImageSize image, ImageSize size) {
    long pixels = (long) (size.width() + right(size)) * (size.height() + bottom(size));
    if (3 * pixels > Integer.MAX_VALUE / 4) {
      throw new ImageFormatException(
              ImageFormatException.Kind.TOO_LARGE,
              "An image of %s pixels would be encoded at %s, which is too large. Lower the max tokens of an image."
                  .formatted(image, size))
          .about(Setting.IMAGE_MAX_TOKENS);
    }
  }

  private int right(ImageSize size) {
    return missing(size.width());
  }

  private int bottom(ImageSize size) {
    return missing(size.height());
  }

  private int missing(int side) {
    int token = patchSize * merge;
    return (token - side % token) % token;
  }

  /** What the encoder gets of an image. */
  ImageInput of(RgbImage image) {
    RgbImage padded = image.pad(0, 0, right(image.size()), bottom(image.size()), Rgb.BLACK);
    int gridX = padded.width() / patchSize;
    int gridY = padded.height() / patchSize;
    long row = 3L * patchSize * patchSize;
    return new ImageInput(
        List.of(
            new Tiles(
                patches(padded, gridX), List.of(row, (long) gridX * gridY, 1L), gridX, gridY)),
        List.of(gridX * gridY, 3, patchSize, patchSize),
        1,
        1,
        List.of(ImagePiece.Embeddings.of(gridX / merge * (gridY / merge))));
  }

  /** Line by line, each [channel, y, x]. */
  private float[] patches(RgbImage image, int gridX) {
    float[] planes = normalize.apply(image);
    float[] out = new float[planes.length];
    int plane = planes.length / 3;
    int perPatch = 3 * patchSize * patchSize;
    for (int i = 0; i < plane; i++) {
      int x = i % image.width();
      int y = i / image.width();
      int patch = y / patchSize * gridX + x / patchSize;
      int to = patch * perPatch + y % patchSize * patchSize + x % patchSize;
      for (int channel = 0; channel < 3; channel++) {
        out[to + channel * patchSize * patchSize] = planes[channel * plane + i];
      }
    }
    return out;
  }
}
