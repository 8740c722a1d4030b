package dev.ocellus.vlm.embedding;

/**
 * What became of one image of a stream.
 *
 * @param <T> what stands for an image
 */
public sealed interface ImageEmbedding<T> {
  /** The image that this is about. */
  T item();

  /**
   * Its vector.
   *
   * @param item the image
   * @param vector as many numbers as {@link Embedder#dimension()}
   */
  record Vector<T>(T item, float[] vector) implements ImageEmbedding<T> {}

  /**
   * It has none, as it could not be read.
   *
   * @param item the image
   * @param cause an {@link java.io.IOException}, or a {@link dev.ocellus.OcellusException} such as
   *     {@link dev.ocellus.vlm.image.ImageFormatException}
   */
  record Failure<T>(T item, Exception cause) implements ImageEmbedding<T> {}
}
