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
import java.util.ArrayList;
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
    long pixels = padded(size).pixels();
    if (3 * pixels > Integer.MAX_VALUE / 4) {
      throw new ImageFormatException(
              ImageFormatException.Kind.TOO_LARGE,
              "An image of %s pixels would be encoded at %s, which is too large. Lower the max tokens of an image."
                  .formatted(image, size))
          .about(Setting.IMAGE_MAX_TOKENS);
    }
  }

  /** The same size with sides of whole tokens. */
  ImageSize padded(ImageSize size) {
    int token = patchSize * merge;
    return new ImageSize(
        Math.ceilDiv(size.width(), token) * token, Math.ceilDiv(size.height(), token) * token);
  }

  /** What the encoder gets of an image. */
  ImageInput of(RgbImage image) {
    float[] patches = new float[Math.toIntExact(3 * padded(image.size()).pixels())];
    write(image, patches, 0);
    return input(List.of(tile(patches, image.size(), 1)), List.of());
  }

  /**
   * An image or the frames of a video.
   *
   * @param between texts between the tokens of the tiles
   */
  ImageInput input(List<Tiles> tiles, List<String> between) {
    List<ImagePiece> layout = new ArrayList<>();
    int nPatches = 0;
    for (Tiles tile : tiles) {
      if (!layout.isEmpty()) {
        layout.add(new ImagePiece.Text(between.get((layout.size() - 1) / 2)));
      }
      layout.add(ImagePiece.Embeddings.of(tile.gridX() / merge * (tile.gridY() / merge)));
      nPatches += Math.toIntExact(tile.shape().get(1));
    }
    return new ImageInput(tiles, List.of(nPatches, 3, patchSize, patchSize), 1, 1, layout);
  }

  /** Patches of so many images of a size, which go through the encoder together. */
  Tiles tile(float[] patches, ImageSize size, int n) {
    ImageSize padded = padded(size);
    int gridX = padded.width() / patchSize;
    int gridY = padded.height() / patchSize;
    long row = 3L * patchSize * patchSize;
    return new Tiles(patches, List.of(row, (long) gridX * gridY * n, 1L), gridX, gridY);
  }

  /**
   * Writes the patches of an image line by line, each [channel, y, x].
   *
   * @param out which gets them from {@code at} on
   */
  void write(RgbImage image, float[] out, int at) {
    ImageSize whole = padded(image.size());
    RgbImage padded =
        image.pad(0, 0, whole.width() - image.width(), whole.height() - image.height(), Rgb.BLACK);
    float[] planes = normalize.apply(padded);
    int gridX = whole.width() / patchSize;
    int plane = planes.length / 3;
    int perPatch = 3 * patchSize * patchSize;
    for (int i = 0; i < plane; i++) {
      int x = i % whole.width();
      int y = i / whole.width();
      int patch = y / patchSize * gridX + x / patchSize;
      int to = at + patch * perPatch + y % patchSize * patchSize + x % patchSize;
      for (int channel = 0; channel < 3; channel++) {
        out[to + channel * patchSize * patchSize] = planes[channel * plane + i];
      }
    }
  }
}
