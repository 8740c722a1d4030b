package dev.ocellus.vlm.embedding;

import dev.ocellus.OcellusException;
import dev.ocellus.vlm.image.ImageFormatException;
import dev.ocellus.vlm.vision.Tiles;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Vectors of any number of images in their order. While a batch is encoded, the next images are
 * read, decoded and resized by other threads, never more of them than {@link
 * StreamOptions#lookAhead()}, so that memory does not depend on how many images there are.
 *
 * <p>An image that cannot be read is a {@link ImageEmbedding.Failure}, and the stream goes on. What
 * else goes wrong, the source of the images included, ends it with its exception.
 *
 * <p>For one thread, the caller's, on which the encoder computes; {@link #close()} may be called by
 * any. {@link DualEncoder#embedImages(Iterator, ImageReader)} makes one.
 *
 * @param <T> what stands for an image
 */
public final class EmbeddingStream<T> implements Iterator<ImageEmbedding<T>>, AutoCloseable {
  /** An image on its way: its tiles, or why there are none. */
  private record Prepared<T>(T item, @Nullable Tiles tiles, @Nullable Exception failure) {}

  private final Iterator<? extends T> items;
  private final ImageReader<? super T> reader;
  private final DualEncoder encoder;
  private final Function<List<Tiles>, List<float[]>> encode;
  private final StreamOptions options;
  private final ExecutorService decoders;

  /** Guarded by itself, as it is emptied by whoever closes. */
  private final Deque<Future<Prepared<T>>> pending = new ArrayDeque<>();

  private final Deque<ImageEmbedding<T>> ready = new ArrayDeque<>();
  private boolean closed;

  EmbeddingStream(
      DualEncoder encoder,
      Iterator<? extends T> items,
      ImageReader<? super T> reader,
      StreamOptions options,
      Function<List<Tiles>, List<float[]>> encode) {
    this.encoder = encoder;
    this.items = items;
    this.reader = reader;
    this.options = options;
    this.encode = encode;
    decoders =
        Executors.newFixedThreadPool(
            options.decoders(), Thread.ofPlatform().daemon().name("ocellus-decode-", 0).factory());
  }

  @Override
  public boolean hasNext() {
    return !ready.isEmpty() || !isEmpty() || items.hasNext();
  }

  /**
   * The next image.
   *
   * @throws NoSuchElementException if there is none
   * @throws CancellationException if the stream was closed, or the thread interrupted
   */
  @Override
  public ImageEmbedding<T> next() {
    if (ready.isEmpty()) {
      readAhead();
      if (isEmpty()) {
        throw new NoSuchElementException("the stream has no more images");
      }
      List<Prepared<T>> batch = finished();
      readAhead();
      encode(batch);
    }
    return ready.removeFirst();
  }

  private boolean isEmpty() {
    synchronized (pending) {
      return pending.isEmpty();
    }
  }

  private void readAhead() {
    while (hasRoom() && items.hasNext()) {
      T item = items.next(); // may take its time, so without the lock
      synchronized (pending) {
        requireOpen();
        pending.addLast(decoders.submit(() -> prepare(item)));
      }
    }
  }

  private boolean hasRoom() {
    synchronized (pending) {
      requireOpen();
      return pending.size() < options.lookAhead();
    }
  }

  private void requireOpen() {
    if (closed) {
      throw new CancellationException("the stream of images was closed");
    }
  }

  private Prepared<T> prepare(T item) {
    try {
      return new Prepared<>(item, encoder.prepare(reader.read(item)), null);
    } catch (IOException | OcellusException e) {
      return new Prepared<>(item, null, e);
    } catch (OutOfMemoryError e) {
      String message =
          "%s: not enough Java heap to prepare this image; raise -Xmx or shrink the image";
      return new Prepared<>(
          item,
          null,
          new ImageFormatException(
              ImageFormatException.Kind.TOO_LARGE, message.formatted(item), e));
    }
  }

  /**
   * The first image, and those behind it that need not be waited for, at most half of all: the
   * other half goes on being read while these are encoded.
   */
  private List<Prepared<T>> finished() {
    List<Prepared<T>> batch = new ArrayList<>();
    int max = Math.ceilDiv(options.lookAhead(), 2);
    Future<Prepared<T>> next = first();
    while (next != null && batch.size() < max && (batch.isEmpty() || next.isDone())) {
      batch.add(await(next));
      synchronized (pending) {
        pending.pollFirst();
      }
      next = first();
    }
    return batch;
  }

  private @Nullable Future<Prepared<T>> first() {
    synchronized (pending) {
      return pending.peekFirst();
    }
  }

  private Prepared<T> await(Future<Prepared<T>> image) {
    try {
      return image.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      close();
      throw new CancellationException("interrupted while images were read");
    } catch (ExecutionException e) {
      close();
      throw unexpected(e.getCause());
    }
  }

  private static RuntimeException unexpected(@Nullable Throwable cause) {
    return switch (cause) {
      case RuntimeException e -> e;
      case Error e -> throw e;
      case null, default -> new IllegalStateException("an image could not be prepared", cause);
    };
  }

  private void encode(List<Prepared<T>> batch) {
    List<Tiles> tiles = new ArrayList<>();
    for (Prepared<T> image : batch) {
      if (image.tiles() != null) {
        tiles.add(image.tiles());
      }
    }
    Iterator<float[]> vectors = encode.apply(tiles).iterator();
    for (Prepared<T> image : batch) {
      ready.addLast(
          image.failure() == null
              ? new ImageEmbedding.Vector<>(image.item(), vectors.next())
              : new ImageEmbedding.Failure<>(image.item(), image.failure()));
    }
  }

  /**
   * Reads no more images and ends the threads; who waits in {@link #next()} gets a {@link
   * CancellationException}. Does nothing the second time.
   */
  @Override
  public void close() {
    synchronized (pending) {
      closed = true;
      pending.forEach(image -> image.cancel(true));
      decoders.shutdownNow();
    }
  }
}
