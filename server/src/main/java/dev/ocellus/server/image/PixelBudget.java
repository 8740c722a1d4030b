package dev.ocellus.server.image;

import dev.ocellus.server.api.ApiException;
import dev.ocellus.vlm.image.ImageLimits;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.codec.ImageDecoder;
import java.lang.ref.Cleaner;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Keeps the images of all requests together within a part of the heap: a file of some kilobytes may
 * become a hundred megabytes of pixels, and whoever sends many such must not take the memory of
 * others. An image counts until nothing refers to it, which the garbage collector tells; where
 * there is no room it is asked to look, as the JDK does for direct buffers.
 */
public final class PixelBudget {
  private static final Cleaner CLEANER = Cleaner.create();

  /** Smaller images are bounded well enough by the number of requests. */
  private static final long SMALL = 1 << 20;

  private static final Duration PATIENCE = Duration.ofSeconds(10);
  private static final long LOOK_MILLIS = 50;

  /** Between two collections that are asked for. */
  private static final Duration PAUSE = Duration.ofMillis(200);

  private final long maxBytes;
  private final ReentrantLock lock = new ReentrantLock(true);
  private final Condition released = lock.newCondition();
  private long taken; // guarded by lock
  private long collected = System.nanoTime(); // guarded by lock

  /** A third of the heap, since decoders need some as well. */
  public PixelBudget() {
    this(Runtime.getRuntime().maxMemory() / 3);
  }

  PixelBudget(long maxBytes) {
    this.maxBytes = maxBytes;
  }

  /**
   * Decodes an image, when there is room for the largest that may be in the file.
   *
   * @throws ApiException if there is none for long
   * @throws dev.ocellus.vlm.image.ImageFormatException if it is no image, or too large
   */
  RgbImage decode(byte[] file, ImageLimits limits) {
    long most = limits.maxPixels() > maxBytes / 3 ? maxBytes : 3 * limits.maxPixels();
    take(most);
    long kept = 0;
    try {
      RgbImage image = ImageDecoder.decode(file, limits);
      long bytes = RgbImage.byteCount(image.width(), image.height());
      if (bytes >= SMALL) {
        CLEANER.register(image, () -> give(bytes));
        kept = bytes;
      }
      return image;
    } finally {
      give(most - kept);
    }
  }

  private void take(long bytes) {
    long end = System.nanoTime() + PATIENCE.toNanos();
    lock.lock();
    try {
      while (taken + bytes > maxBytes && taken > 0) {
        if (System.nanoTime() > end) {
          throw new ApiException(
              ApiException.Kind.UNAVAILABLE,
              "the server has no memory left for the images of this request; try again later");
        }
        boolean gotSome = released.await(LOOK_MILLIS, TimeUnit.MILLISECONDS);
        if (!gotSome && System.nanoTime() - collected > PAUSE.toNanos()) {
          System.gc(); // images that nobody needs any more are only told of by a collection
          collected = System.nanoTime();
        }
      }
      taken += bytes;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ApiException(ApiException.Kind.UNAVAILABLE, "the server is being stopped", e);
    } finally {
      lock.unlock();
    }
  }

  /** Negative for what an image takes beyond what was taken for it. */
  private void give(long bytes) {
    lock.lock();
    try {
      taken -= bytes;
      released.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Bytes that are taken now. */
  long taken() {
    lock.lock();
    try {
      return taken;
    } finally {
      lock.unlock();
    }
  }
}
