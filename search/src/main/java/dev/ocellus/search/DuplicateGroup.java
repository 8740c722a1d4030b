package dev.ocellus.search;

import java.nio.file.Path;
import java.util.List;

/**
 * Images that are duplicates of each other: each of one more of the group, not of all.
 *
 * @param images at least two; the first is that with the most pixels, and of these that with the
 *     most bytes
 */
public record DuplicateGroup(List<Duplicate> images) {
  public DuplicateGroup {
    images = List.copyOf(images);
  }

  /** Whether all are the same file, byte for byte. */
  public boolean isIdentical() {
    return images.stream().allMatch(Duplicate::identical);
  }

  /**
   * An image of a group.
   *
   * @param path below the folder of the index
   * @param width of the image as it is seen, in pixels
   * @param height of the image as it is seen, in pixels
   * @param bytes of the file when it was indexed
   * @param identical whether it is the first one, byte for byte
   * @param cosine of its vector and that of the first one
   */
  public record Duplicate(
      Path path, int width, int height, long bytes, boolean identical, float cosine) {}
}
