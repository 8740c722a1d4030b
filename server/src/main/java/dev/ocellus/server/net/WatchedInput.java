package dev.ocellus.server.net;

import io.helidon.common.buffers.DataReader;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What a client sends. While nobody reads, it may be watched: a thread reads ahead, so that the end
 * of the connection is noticed when it comes. What was read ahead is given to the next reader.
 */
final class WatchedInput implements Supplier<byte @Nullable []> {
  private final DataReader reader;
  private @Nullable CompletableFuture<byte @Nullable []> ahead; // of the connection's thread
  private volatile boolean atEnd;

  WatchedInput(DataReader reader) {
    this.reader = reader;
  }

  /** Begins to read ahead. For the thread of the connection. */
  void watch() {
    if (ahead != null) {
      return;
    }
    var read = new CompletableFuture<byte @Nullable []>();
    ahead = read;
    Thread unused =
        Thread.ofVirtual()
            .name("ocellus-watch")
            .start(() -> {
              try {
                read.complete(read());
              } catch (Throwable e) {
                read.completeExceptionally(e);
              }
            });
  }

  /** Whether the client sends nothing more. */
  boolean isAtEnd() {
    return atEnd;
  }

  /** More bytes, waiting for them; null at the end. */
  @Override
  public byte @Nullable [] get() {
    CompletableFuture<byte @Nullable []> read = ahead;
    if (read == null) {
      return read();
    }
    ahead = null;
    try {
      return read.join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      throw e;
    }
  }

  private byte @Nullable [] read() {
    try {
      reader.ensureAvailable();
      return reader.readBytes(reader.available());
    } catch (DataReader.InsufficientDataAvailableException e) {
      atEnd = true;
      return null;
    } catch (RuntimeException e) {
      atEnd = true;
      throw e;
    }
  }
}
