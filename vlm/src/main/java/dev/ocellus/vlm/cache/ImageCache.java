package dev.ocellus.vlm.cache;

import dev.ocellus.io.ByteBoundedCache;
import dev.ocellus.io.Sha256;
import dev.ocellus.vlm.vision.EncodedImage;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Remembers encoded images of one encoder: in memory, and where a directory is given on disk for
 * other processes. Thread-safe.
 */
public final class ImageCache {
  /** Where an image was found. */
  public enum Tier {
    MEMORY,
    DISK
  }

  /** An image that was found. */
  public record Found(EncodedImage image, Tier tier) {}

  private final @Nullable ByteBoundedCache<String, EncodedImage> memory;
  private final @Nullable DiskTier disk;
  private final Supplier<String> encoder;
  private final ImagesInWork inWork = new ImagesInWork();
  private volatile @Nullable String encoderIdentity;

  /**
   * @param memoryBytes most bytes in memory; 0 for none
   * @param directory where the files go; null for none
   * @param diskBytes most bytes of files
   * @param encoder what besides the pixels makes a difference: weights, code, limits, precision,
   *     device. Asked once, and only if there is a directory
   */
  public ImageCache(
      long memoryBytes, @Nullable Path directory, long diskBytes, Supplier<String> encoder) {
    this.memory =
        memoryBytes > 0 ? new ByteBoundedCache<>(memoryBytes, EncodedImage::byteSize) : null;
    this.disk = directory != null && diskBytes > 0 ? new DiskTier(directory, diskBytes) : null;
    this.encoder = encoder;
  }

  /**
   * Looks an image up.
   *
   * @param pixels hash of the decoded image
   */
  public Optional<Found> find(String pixels) {
    if (memory != null) {
      EncodedImage image = memory.find(pixels);
      if (image != null) {
        return Optional.of(new Found(image, Tier.MEMORY));
      }
    }
    if (disk != null) {
      EncodedImage image = disk.find(key(pixels));
      if (image != null) {
        if (memory != null) {
          memory.put(pixels, image);
        }
        return Optional.of(new Found(image, Tier.DISK));
      }
    }
    return Optional.empty();
  }

  /** Images that are being encoded, and are not remembered yet. */
  public ImagesInWork inWork() {
    return inWork;
  }

  /** Remembers an image. */
  public void put(String pixels, EncodedImage image) {
    if (memory != null) {
      memory.put(pixels, image);
    }
    if (disk != null) {
      disk.put(key(pixels), image);
    }
  }

  /** Bytes of the images in memory. */
  public long memoryBytes() {
    return memory == null ? 0 : memory.bytes();
  }

  private String key(String pixels) {
    String identity = encoderIdentity;
    if (identity == null) {
      identity = encoder.get();
      encoderIdentity = identity;
    }
    return sha256(identity + "\n" + pixels);
  }

  /** SHA-256 of a text, in hex. */
  public static String sha256(String text) {
    return Sha256.hex(text);
  }
}
