package dev.ocellus.server.image;

import dev.ocellus.io.ByteBoundedCache;
import dev.ocellus.io.Sha256;
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
 *
 * <p>A part of it holds images that came before, as conversations send theirs again with each turn:
 * the same file is not decoded again, and its pixels are hashed once. They go first when there is
 * no room.
 */
public final class PixelBudget {
  private static final Cleaner CLEANER = Cleaner.create();

  /** Smaller images are bounded well enough by the number of requests. */
  private static final long SMALL = 1 << 20;

  private static final Duration PATIENCE = Duration.ofSeconds(10);
  private static final long LOOK_MILLIS = 50;

  /** The part of it for images that came before. */
  private static final int CACHE_PART = 4;

  /** A file, by the hash of its bytes, and what its image may have. */
  private record Key(String file, ImageLimits limits) {}

  /** Between two collections that are asked for. */
  private static final Duration PAUSE = Duration.ofMillis(200);

  private final long maxBytes;
  private final ByteBoundedCache<Key, RgbImage> decoded;
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
    this.decoded = new ByteBoundedCache<>(maxBytes / CACHE_PART, PixelBudget::byteSize);
  }

  private static long byteSize(RgbImage image) {
    return RgbImage.byteCount(image.width(), image.height());
  }

  /**
   * Decodes an image, when there is room for the largest that may be in the file, or gives the one
   * that the same file gave before.
   *
   * @throws ApiException if there is none for long
   * @throws dev.ocellus.vlm.image.ImageFormatException if it is no image, or too large
   */
  RgbImage decode(byte[] file, ImageLimits limits) {
    var key = new Key(Sha256.hex(file), limits);
    RgbImage known = decoded.find(key);
    if (known == null) {
      known = decodeNew(file, limits);
      decoded.put(key, known);
    }
    return known;
  }

  private RgbImage decodeNew(byte[] file, ImageLimits limits) {
    long most = limits.maxPixels() > maxBytes / 3 ? maxBytes : 3 * limits.maxPixels();
    take(most);
    long kept = 0;
    try {
      RgbImage image = ImageDecoder.decode(file, limits);
      long bytes = byteSize(image);
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
        decoded.clear();
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
