package dev.ocellus.vlm.cache;

import dev.ocellus.vlm.vision.EncodedImage;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The images used last, as many as fit a number of bytes. Thread-safe. */
final class MemoryTier {
  private static final float LOAD = 0.75f;

  private final long capacity;
  private final Map<String, EncodedImage> images = new LinkedHashMap<>(16, LOAD, true);
  private long bytes;

  MemoryTier(long capacity) {
    this.capacity = capacity;
  }

  synchronized @Nullable EncodedImage find(String key) {
    return images.get(key); // which makes it the youngest
  }

  synchronized void put(String key, EncodedImage image) {
    if (image.byteSize() > capacity) {
      return;
    }
    EncodedImage before = images.put(key, image);
    bytes += image.byteSize() - (before == null ? 0 : before.byteSize());
    Iterator<EncodedImage> oldest = images.values().iterator();
    while (bytes > capacity) {
      bytes -= oldest.next().byteSize();
      oldest.remove();
    }
  }

  synchronized long bytes() {
    return bytes;
  }
}
