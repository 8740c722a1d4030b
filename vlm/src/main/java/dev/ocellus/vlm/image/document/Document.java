package dev.ocellus.vlm.image.document;

import dev.ocellus.vlm.image.RgbImage;

/** A file of pages. For one thread at a time. */
public interface Document extends AutoCloseable {
  /** How many pages it has. */
  int nPages();

  /**
   * A page as an image.
   *
   * @param number from 1
   * @throws IllegalArgumentException if there is no such page
   * @throws dev.ocellus.vlm.image.ImageFormatException if it is damaged or too large
   */
  RgbImage page(int number);

  @Override
  void close();
}
