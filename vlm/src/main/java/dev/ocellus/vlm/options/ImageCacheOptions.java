package dev.ocellus.vlm.options;

import dev.ocellus.nativelib.CacheDirectory;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * How much of encoded images is remembered, so that an image that comes again is not computed
 * again.
 *
 * @param memoryBytes most bytes in memory, for each model; 0 for none
 * @param directory where they are kept for other processes as well; null for nowhere. The files
 *     hold what the model sees of the images, so the directory is made for its owner alone
 * @param diskBytes most bytes in the directory; those used longest ago are removed
 */
public record ImageCacheOptions(long memoryBytes, @Nullable Path directory, long diskBytes) {
  private static final long MIB = 1 << 20;

  /** No memory at all. */
  public static final ImageCacheOptions OFF = new ImageCacheOptions(0, null, 0);

  public ImageCacheOptions {
    if (memoryBytes < 0 || diskBytes < 0) {
      throw new IllegalArgumentException(
          "image cache: expected sizes of 0 or more bytes, found %d in memory and %d on disk"
              .formatted(memoryBytes, diskBytes));
    }
  }

  /** 256 MiB of memory, or an eighth of the heap where that is less, and no files. */
  public static ImageCacheOptions defaults() {
    return new ImageCacheOptions(
        Math.min(256 * MIB, Runtime.getRuntime().maxMemory() / 8), null, 1024 * MIB);
  }

  /** With files in a directory, 1 GiB unless {@link #withDiskBytes} says otherwise. */
  public ImageCacheOptions withDirectory(Path directory) {
    return new ImageCacheOptions(memoryBytes, directory, diskBytes);
  }

  public ImageCacheOptions withDiskBytes(long diskBytes) {
    return new ImageCacheOptions(memoryBytes, directory, diskBytes);
  }

  public ImageCacheOptions withMemoryBytes(long memoryBytes) {
    return new ImageCacheOptions(memoryBytes, directory, diskBytes);
  }

  /** The directory in the user's cache that the command line uses. */
  public static Path userDirectory() {
    return CacheDirectory.of("images");
  }
}
