package dev.ocellus.vlm.generation;

import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * An image as numbers of entries of a codebook.
 *
 * @param width codes across
 * @param height codes down
 * @param codes row by row from the top left
 */
public record ImageCodes(int width, int height, int[] codes) {
  public ImageCodes {
    if (width < 1 || height < 1 || (long) width * height != codes.length) {
      throw new IllegalArgumentException(
          "codes: expected width times height of them, both at least 1, found %d for %d x %d"
              .formatted(codes.length, width, height));
    }
    codes = codes.clone();
  }

  /** A copy. */
  @Override
  public int[] codes() {
    return codes.clone();
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof ImageCodes that
        && width == that.width
        && height == that.height
        && Arrays.equals(codes, that.codes);
  }

  @Override
  public int hashCode() {
    return Objects.hash(width, height, Arrays.hashCode(codes));
  }

  @Override
  public String toString() {
    return "ImageCodes[%d x %d]".formatted(width, height);
  }
}
