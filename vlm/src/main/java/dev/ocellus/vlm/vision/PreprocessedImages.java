package dev.ocellus.vlm.vision;

import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.Normalize;
import dev.ocellus.vlm.image.RgbImage;
import java.util.ArrayList;
import java.util.List;

/** Makes images again of what an encoder gets, so that people can see it. */
final class PreprocessedImages {
  private static final int CHANNELS = 3;

  private final double[] mean;
  private final double[] std;

  private PreprocessedImages(Normalize normalize) {
    mean = normalize.mean();
    std = normalize.std();
  }

  /** All tiles of an image, or all frames of a video, in order. */
  static List<RgbImage> of(ImageInput input, Normalize normalize) {
    PreprocessedImages out = new PreprocessedImages(normalize);
    List<RgbImage> images = new ArrayList<>();
    for (Tiles tiles : input.tiles()) {
      boolean planes = tiles.inPlanes();
      int length = Math.toIntExact(CHANNELS * tiles.size().pixels());
      for (int i = 0; i < tiles.nImages(); i++) {
        images.add(
            planes
                ? out.ofPlanes(tiles, i * length)
                : out.ofPatches(tiles, i * length, tiles.square()));
      }
    }
    return images;
  }

  private RgbImage ofPlanes(Tiles tiles, int from) {
    ImageSize size = tiles.size();
    int plane = size.width() * size.height();
    byte[] rgb = new byte[CHANNELS * plane];
    for (int c = 0; c < CHANNELS; c++) {
      for (int i = 0; i < plane; i++) {
        rgb[CHANNELS * i + c] = value(c, tiles.pixels()[from + c * plane + i]);
      }
    }
    return RgbImage.of(size.width(), size.height(), rgb);
  }

  private RgbImage ofPatches(Tiles tiles, int from, int merge) {
    ImageSize size = tiles.size();
    int side = tiles.patchSide();
    int across = tiles.gridX() / merge;
    byte[] rgb = new byte[CHANNELS * size.width() * size.height()];
    int at = from;
    for (int patch = 0; patch < tiles.gridX() * tiles.gridY(); patch++) {
      int block = patch / (merge * merge);
      int within = patch % (merge * merge);
      int left = (block % across * merge + within % merge) * side;
      int top = (block / across * merge + within / merge) * side;
      for (int c = 0; c < CHANNELS; c++) {
        for (int i = 0; i < side * side; i++) {
          int pixel = (top + i / side) * size.width() + left + i % side;
          rgb[CHANNELS * pixel + c] = value(c, tiles.pixels()[at++]);
        }
      }
    }
    return RgbImage.of(size.width(), size.height(), rgb);
  }

  /** The byte whose normalized value this is; padding may have one that none has. */
  private byte value(int channel, float normalized) {
    double value = normalized * std[channel] + mean[channel];
    return (byte) Math.clamp(Math.round(value * 255), 0, 255);
  }
}
