package dev.ocellus.vlm.embedding;

import dev.ocellus.vlm.image.RgbImage;
import java.io.IOException;

/**
 * Reads an image of a stream, such as {@code ImageDecoder::decode} for paths. Called by several
 * threads at once.
 *
 * @param <T> what stands for an image: a path, a URL, a row of a database
 */
@FunctionalInterface
public interface ImageReader<T> {
  /**
   * Reads the image.
   *
   * @throws IOException if it cannot be read
   * @throws dev.ocellus.vlm.image.ImageFormatException if it is no image, or broken
   */
  RgbImage read(T item) throws IOException;
}
