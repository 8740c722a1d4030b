package dev.ocellus.vlm.embedding;

import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.concurrent.CancellationException;

/**
 * Vectors of any number of images in their order. While a batch is encoded, the next images are
 * read, decoded and resized by other threads, never more of them than {@link
 * StreamOptions#lookAhead()}, so that memory does not depend on how many images there are.
 *
 * <p>An image that cannot be read is a {@link ImageEmbedding.Failure}, and the stream goes on. What
 * else goes wrong, the source of the images included, ends it with its exception.
 *
 * <p>For one thread, the caller's, on which the encoder computes; {@link #close()} may be called by
 * any. {@link Embedder#embedImages} makes one.
 *
 * @param <T> what stands for an image
 */
public final class EmbeddingStream<T> implements Iterator<ImageEmbedding<T>>, AutoCloseable {
  private final ReadAhead<T, ?> images;

  EmbeddingStream(ReadAhead<T, ?> images) {
    this.images = images;
  }

  @Override
  public boolean hasNext() {
    return images.hasNext();
  }

  /**
   * The next image.
   *
   * @throws NoSuchElementException if there is none
   * @throws CancellationException if the stream was closed, or the thread interrupted
   */
  @Override
  public ImageEmbedding<T> next() {
    return images.next();
  }

  /**
   * Reads no more images and ends the threads; who waits in {@link #next()} gets a {@link
   * CancellationException}. Does nothing the second time.
   */
  @Override
  public void close() {
    images.close();
  }
}
