package dev.ocellus.io;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Opens named pipes for writing, which waits for a reader, but not for ever. */
final class PipeOpener {
  private PipeOpener() {}

  /**
   * Opens a named pipe.
   *
   * @throws IOException if it cannot be opened, or no program has opened it for reading in time
   */
  static FileChannel openForWriting(Path pipe, Duration patience) throws IOException {
    CompletableFuture<FileChannel> opened = new CompletableFuture<>();
    Thread.ofPlatform()
        .daemon()
        .name("ocellus-pipe")
        .start(() -> {
          try {
            opened.complete(FileChannel.open(pipe, StandardOpenOption.WRITE));
          } catch (IOException | RuntimeException e) {
            opened.completeExceptionally(e);
          }
        });
    try {
      return opened.get(patience.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      release(pipe, opened);
      throw new FileSystemException(
          pipe.toString(), null, "is a named pipe that no program reads; start the reader first");
    } catch (InterruptedException e) {
      release(pipe, opened);
      Thread.currentThread().interrupt();
      throw (IOException) new InterruptedIOException("interrupted").initCause(e);
    } catch (ExecutionException e) {
      throw e.getCause() instanceof IOException io ? io : new IOException(e.getCause());
    }
  }

  /** Ends the wait of the thread above: a reader comes, and both leave. */
  private static void release(Path pipe, CompletableFuture<FileChannel> opened) throws IOException {
    try (FileChannel reader = FileChannel.open(pipe, StandardOpenOption.READ);
        FileChannel writer = opened.exceptionally(failure -> reader).join()) {
      // nothing is to be written
    }
  }
}
