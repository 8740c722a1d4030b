package dev.ocellus.spark;

import dev.ocellus.vlm.image.ImageLimits;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.codec.ImageDecoder;
import org.jspecify.annotations.Nullable;

/**
 * An image file that has been read.
 *
 * @param name what messages call it
 * @param prompt of its row; null if the request has it
 * @param isNamed whether the name tells it apart from others
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record ImageFile(
    byte[] bytes, String name, @Nullable String prompt, boolean isNamed, ImageLimits limits) {

  /** Its pixels. */
  RgbImage decode(Seen seen) {
    RgbImage image = ImageDecoder.decode(bytes, 0, name, limits);
    seen.size(image.width(), image.height());
    return image;
  }

  /** A seed that belongs to this image and prompt, whichever executor takes them. */
  long seed(long seed) {
    String key = isNamed ? name : FileHashes.hex(FileHashes.sha256(bytes));
    String hash = FileHashes.of("%d\n%s\n%s".formatted(seed, key, prompt == null ? "" : prompt));
    return Long.parseLong(hash.substring(0, 8), 16);
  }
}
