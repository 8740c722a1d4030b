package dev.ocellus.vlm.cache;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.compute.ComputationCancelledException;
import dev.ocellus.vlm.vision.EncodedImage;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Images that are being encoded, so that whoever needs one of them at the same time waits for it
 * instead of encoding it beside. Thread-safe.
 */
public final class ImagesInWork {
  private static final long LOOK_MILLIS = 20;

  private final Map<String, Work> running = new ConcurrentHashMap<>();

  private static final class Work {
    final CountDownLatch ended = new CountDownLatch(1);
    volatile @Nullable EncodedImage image;
  }

  /**
   * Begins to encode an image, which must be followed by {@link #end}.
   *
   * @return false if somebody is encoding it already, and then nothing is begun
   */
  public boolean begin(String key) {
    return running.putIfAbsent(key, new Work()) == null;
  }

  /**
   * Ends what was begun.
   *
   * @param image null if there is none, because it failed or was cancelled
   */
  public void end(String key, @Nullable EncodedImage image) {
    Work work = running.remove(key);
    if (work == null) {
      throw new IllegalStateException("nobody has begun to encode this image");
    }
    work.image = image;
    work.ended.countDown();
  }

  /**
   * Waits until nobody encodes an image any more.
   *
   * @return the image; null if nobody was encoding it, or that failed
   * @throws ComputationCancelledException if the flag was set meanwhile
   */
  public @Nullable EncodedImage await(String key, CancellationFlag flag) {
    Work work = running.get(key);
    if (work == null) {
      return null;
    }
    try {
      while (!work.ended.await(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
        if (flag.isCancelled()) {
          throw new ComputationCancelledException("Encoding was cancelled");
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("Interrupted while an image was being encoded", e);
    }
    return work.image;
  }
}
