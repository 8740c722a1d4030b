package dev.ocellus.vlm.options;

import dev.ocellus.nativelib.CacheDirectory;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Whether keys and values of prompts up to their last image are kept on disk, so that another
 * question about the same image, after the same system message, is answered in a new process
 * without computing them again.
 *
 * @param directory where they are kept; null for nowhere. The files hold what the model has read,
 *     so the directory is made for its owner alone
 * @param diskBytes most bytes in the directory; those used longest ago are removed
 */
public record PrefixCacheOptions(@Nullable Path directory, long diskBytes) {
  private static final long DEFAULT_BYTES = 2L << 30;

  /** Nothing is kept. */
  public static final PrefixCacheOptions OFF = new PrefixCacheOptions(null, DEFAULT_BYTES);

  public PrefixCacheOptions {
    if (diskBytes < 0) {
      throw new IllegalArgumentException(
          "prefix cache: expected a size of 0 or more bytes, found %d".formatted(diskBytes));
    }
  }

  /** With files in a directory, 2 GiB unless {@link #withDiskBytes} says otherwise. */
  public PrefixCacheOptions withDirectory(Path directory) {
    return new PrefixCacheOptions(directory, diskBytes);
  }

  public PrefixCacheOptions withDiskBytes(long diskBytes) {
    return new PrefixCacheOptions(directory, diskBytes);
  }

  /** The directory in the user's cache that the command line uses. */
  public static Path userDirectory() {
    return CacheDirectory.of("prefixes");
  }
}
