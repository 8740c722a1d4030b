package dev.ocellus.vlm.embedding;

import dev.ocellus.vlm.image.RgbImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Iterator;

/**
 * Gives images and texts vectors of one space, near each other where they belong together: a {@link
 * DualEncoder} such as CLIP, or a {@link VisionLanguageEmbedder}. Thread-safe.
 */
public interface Embedder extends AutoCloseable {
  /** The model's file; of several, that of the text model. */
  Path path();

  /** Numbers of a vector. */
  int dimension();

  /**
   * What the model's files are told by, the same for every copy of them: vectors of equal identity
   * and {@linkplain #dimension dimension} can be compared.
   *
   * @throws IOException if a file cannot be read any more
   */
  String identity() throws IOException;

  /**
   * The vector of an image, of length 1.
   *
   * @throws dev.ocellus.vlm.image.ImageFormatException if the model takes no image of its size
   */
  float[] embedImage(RgbImage image);

  /** The vector of a text, of length 1; of one that is too long, that of its beginning. */
  float[] embedText(String text);

  /** How many tokens are left out at the end of a text, which is too long; usually 0. */
  int nDropped(String text);

  /**
   * The vectors of any number of images, of length 1, in their order; the next ones are read while
   * some are encoded.
   *
   * @param reader called by several threads at once
   */
  <T> EmbeddingStream<T> embedImages(
      Iterator<? extends T> images, ImageReader<? super T> reader, StreamOptions options);

  /** Frees everything; waits for what is being computed. */
  @Override
  void close();
}
