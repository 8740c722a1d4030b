package dev.ocellus.hub;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;

/**
 * Fetches one file into one place: several parts at once, checked while they come, kept when the
 * process ends, and named only when the hash is right.
 *
 * <p>Parts are fetched by {@link PartFetcher}s; the calling thread reads what has come without a
 * hole and adds it to the hash.
 */
final class Download {
  private static final long SMALLEST_PART = 8L << 20;
  private static final long LARGEST_PART = 256L << 20;
  private static final int PARTS = 64;
  private static final long TICK_MILLIS = 100;
  private static final int BUFFER = 1 << 20;

  private final Http http;
  private final HubSettings settings;
  private final PullListener listener;
  private final long smallestPart;

  Download(Http http, HubSettings settings, PullListener listener) {
    this(http, settings, listener, SMALLEST_PART);
  }

  /** For tests, whose files are small. */
  Download(Http http, HubSettings settings, PullListener listener, long smallestPart) {
    this.http = http;
    this.settings = settings;
    this.listener = listener;
    this.smallestPart = smallestPart;
  }

  /**
   * Fetches a file, unless {@code to} is there. What an earlier call had to leave is gone on with.
   *
   * @param partial where the bytes are until they are complete
   * @throws CancellationException if the listener says so
   * @throws HubException if it cannot be had; whatever has come stays for the next call, unless its
   *     hash is wrong
   */
  void fetch(RemoteFile file, Path partial, Path to) throws IOException {
    if (Files.exists(to)) {
      return;
    }
    if (!attempt(file, partial, to, partSize(file.size()))) {
      listener.note("%s is fetched anew from its beginning".formatted(file.name()));
      if (!attempt(file, partial, to, partSize(file.size()))) {
        throw new HubException(
            HubException.Kind.DAMAGED,
            "%s from %s has another %s than was announced, %s. It was changed on the server or damaged on the way; try again later."
                .formatted(
                    file.name(),
                    file.address().getHost(),
                    file.hash().map(FileHash::algorithm).orElse("hash"),
                    file.hash().map(FileHash::hex).orElse("")));
      }
    }
  }

  private long partSize(long size) {
    return Math.clamp(size / PARTS, smallestPart, Math.max(smallestPart, LARGEST_PART));
  }

  /** One try; false if all came and was wrong. */
  private boolean attempt(RemoteFile file, Path partial, Path to, long partSize)
      throws IOException {
    try (PartialFile parts = PartialFile.open(partial, file.size(), partSize)) {
      requireRoom(file, partial, file.size() - parts.done());
      boolean ranges = run(file, parts);
      if (ranges && isRight(file, parts)) {
        parts.finish(to);
        return true;
      }
      if (!ranges) {
        return whole(file, parts, partial, to);
      }
    }
    PartialFile.discard(partial);
    return false;
  }

  /** For a server that knows no ranges: everything in one part, over one connection. */
  private boolean whole(RemoteFile file, PartialFile earlier, Path partial, Path to)
      throws IOException {
    earlier.close();
    PartialFile.discard(partial);
    listener.note("%s cannot be fetched in parts from this server".formatted(file.name()));
    try (PartialFile one = PartialFile.open(partial, file.size(), Math.max(1, file.size()))) {
      if (run(file, one) && isRight(file, one)) {
        one.finish(to);
        return true;
      }
    }
    PartialFile.discard(partial);
    return false;
  }

  private @Nullable MessageDigest digest;
  private long hashed;

  /** Fetches what is missing; false if the server gives no parts of files. */
  private boolean run(RemoteFile file, PartialFile parts) throws IOException {
    digest = file.hash().map(hash -> hash.digest(file.size())).orElse(null);
    hashed = 0;
    int n = (int) Math.clamp(parts.nParts(), 1, settings.connections());
    try (Fetchers fetchers = new Fetchers(n, http, settings, file, parts)) {
      boolean running = true;
      while (running) {
        running = fetchers.await(TICK_MILLIS);
        if (parts.nParts() > 1 || !running) { // a single part may have to begin anew
          hash(parts);
        }
        if (!listener.progress(file.name(), parts.done(), file.size())) {
          throw new CancellationException("the pull was stopped");
        }
      }
      return fetchers.finish();
    }
  }

  private void hash(PartialFile parts) throws IOException {
    MessageDigest into = digest;
    if (into == null) {
      return;
    }
    long end = parts.contiguous();
    ByteBuffer buffer = ByteBuffer.allocate(BUFFER);
    while (hashed < end) {
      buffer.clear().limit((int) Math.min(BUFFER, end - hashed));
      int read = parts.read(buffer, hashed);
      if (read < 0) {
        throw new IOException("the file that is being fetched was cut by another program");
      }
      into.update(buffer.flip());
      hashed += read;
    }
  }

  private boolean isRight(RemoteFile file, PartialFile parts) {
    MessageDigest all = digest;
    return parts.done() == file.size()
        && (all == null || file.hash().map(hash -> hash.matches(all)).orElse(true));
  }

  private static void requireRoom(RemoteFile file, Path partial, long needed) throws IOException {
    Path folder = partial.toAbsolutePath().getParent();
    long free = folder == null ? Long.MAX_VALUE : Files.getFileStore(folder).getUsableSpace();
    if (free < needed) {
      throw new HubException(
          HubException.Kind.DISK,
          "No room for %s: %d MB are missing of it, and %s has %d MB free."
              .formatted(file.name(), needed / 1_000_000, folder, free / 1_000_000));
    }
  }
}
