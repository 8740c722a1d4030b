package dev.ocellus.vlm.embedding;

import dev.ocellus.OcellusException;
import dev.ocellus.vlm.image.ImageFormatException;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/**
 * The images of an {@link EmbeddingStream} on their way: read, decoded and prepared by threads, and
 * encoded by the one that takes them.
 *
 * @param <T> what stands for an image
 * @param <P> an image as it waits for the encoder
 */
final class ReadAhead<T, P> implements Iterator<ImageEmbedding<T>>, AutoCloseable {
  /** An image on its way, or why it has no vector. */
  private record Prepared<T, P>(T item, @Nullable P image, @Nullable Exception failure) {}

  private final Iterator<? extends T> items;
  private final ImageReader<? super T> reader;
  private final ImageStage<P> stage;
  private final StreamOptions options;
  private final ExecutorService decoders;

  /** Guarded by itself, as it is emptied by whoever closes. */
  private final Deque<Future<Prepared<T, P>>> pending = new ArrayDeque<>();

  private final Deque<ImageEmbedding<T>> ready = new ArrayDeque<>();
  private boolean closed;

  ReadAhead(
      ImageStage<P> stage,
      Iterator<? extends T> items,
      ImageReader<? super T> reader,
      StreamOptions wanted) {
    this.stage = stage;
    this.items = items;
    this.reader = reader;
    this.options = stage.reading(wanted);
    decoders =
        Executors.newFixedThreadPool(
            options.decoders(), Thread.ofPlatform().daemon().name("ocellus-decode-", 0).factory());
  }

  @Override
  public boolean hasNext() {
    return !ready.isEmpty() || !isEmpty() || items.hasNext();
  }

  @Override
  public ImageEmbedding<T> next() {
    if (ready.isEmpty()) {
      readAhead();
      if (isEmpty()) {
        throw new NoSuchElementException("the stream has no more images");
      }
      List<Prepared<T, P>> batch = finished();
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

  private Prepared<T, P> prepare(T item) {
    try {
      return new Prepared<>(item, stage.prepare(reader.read(item)), null);
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
  private List<Prepared<T, P>> finished() {
    List<Prepared<T, P>> batch = new ArrayList<>();
    int max = Math.min(stage.maxBatch(), Math.ceilDiv(options.lookAhead(), 2));
    Future<Prepared<T, P>> next = first();
    while (next != null && batch.size() < max && (batch.isEmpty() || next.isDone())) {
      batch.add(await(next));
      synchronized (pending) {
        pending.pollFirst();
      }
      next = first();
    }
    return batch;
  }

  private @Nullable Future<Prepared<T, P>> first() {
    synchronized (pending) {
      return pending.peekFirst();
    }
  }

  private Prepared<T, P> await(Future<Prepared<T, P>> image) {
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

  private void encode(List<Prepared<T, P>> batch) {
    List<P> images = new ArrayList<>();
    for (Prepared<T, P> image : batch) {
      if (image.image() != null) {
        images.add(image.image());
      }
    }
    Iterator<ImageStage.Encoded> encoded = stage.encode(images).iterator();
    for (Prepared<T, P> image : batch) {
      ready.addLast(
          image.failure() == null
              ? result(image.item(), encoded.next())
              : new ImageEmbedding.Failure<>(image.item(), image.failure()));
    }
  }

  private static <T> ImageEmbedding<T> result(T item, ImageStage.Encoded encoded) {
    float[] vector = encoded.vector();
    if (vector != null) {
      return new ImageEmbedding.Vector<>(item, vector);
    }
    return new ImageEmbedding.Failure<>(
        item, Objects.requireNonNull(encoded.failure(), "neither a vector nor a failure"));
  }

  @Override
  public void close() {
    synchronized (pending) {
      closed = true;
      pending.forEach(image -> image.cancel(true));
      decoders.shutdownNow();
    }
    stage.stop();
  }
}
