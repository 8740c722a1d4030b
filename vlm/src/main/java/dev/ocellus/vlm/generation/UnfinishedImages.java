package dev.ocellus.vlm.generation;

import dev.ocellus.vlm.image.RgbImage;
import java.util.Arrays;

/** Images of which only the first codes are there, row by row. */
final class UnfinishedImages {
  private static final byte GRAY = (byte) 128;

  private UnfinishedImages() {}

  /**
   * All codes: what is missing is what stands above it, and in the first row what was last.
   *
   * @throws IllegalArgumentException if {@code done} is not from 0 to the number of codes
   */
  static ImageCodes filled(ImageCodes codes, int done) {
    int[] all = codes.codes();
    if (done < 0 || done > all.length) {
      throw new IllegalArgumentException(
          "done: expected 0 to %d codes, found %d".formatted(all.length, done));
    }
    for (int i = done; i < all.length; i++) {
      all[i] = i >= codes.width() ? all[i - codes.width()] : done > 0 ? all[done - 1] : 0;
    }
    return new ImageCodes(codes.width(), codes.height(), all);
  }

  /**
   * An image whose places from {@code done} on are gray.
   *
   * @param across places in a row
   * @param side pixels of a place, across and down
   */
  static RgbImage gray(RgbImage image, int across, int side, int done) {
    byte[] rgb = image.toByteArray();
    int width = image.width();
    for (int y = 0; y < image.height(); y++) {
      long before = (long) (y / side) * across; // places of the rows above
      int from = (int) Math.clamp((done - before) * side, 0, width);
      Arrays.fill(rgb, 3 * (y * width + from), 3 * (y + 1) * width, GRAY);
    }
    return RgbImage.wrap(width, image.height(), rgb);
  }
}
