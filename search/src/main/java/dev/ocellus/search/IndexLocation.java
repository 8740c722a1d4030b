package dev.ocellus.search;

import java.nio.file.Path;

/**
 * A folder of images and the folder of its index.
 *
 * @param folder the images, with all folders below
 * @param index the files of the index; nothing else may be in it
 */
public record IndexLocation(Path folder, Path index) {
  /** Name of the folder, inside that of the images, in which an index is by default. */
  public static final String HIDDEN = ".ocellus";

  private static final String INDEX = "index";

  /**
   * The index inside the folder, in {@code .ocellus/index}: it moves with the images, and goes with
   * them.
   */
  public static IndexLocation inside(Path folder) {
    return new IndexLocation(folder, folder.resolve(HIDDEN).resolve(INDEX));
  }

  /** Whether the index is in its default place. */
  boolean isInside() {
    return index.equals(inside(folder).index());
  }
}
