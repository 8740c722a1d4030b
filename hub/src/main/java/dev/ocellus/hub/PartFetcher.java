package dev.ocellus.hub;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Fetches parts of a file, one after the other, each as often as its connection breaks. */
final class PartFetcher {
  private static final int OK = 200;
  private static final int PARTIAL = 206;
  private static final int NOT_SATISFIABLE = 416;
  private static final int BUFFER = 256 << 10;
  private static final Pattern CONTENT_RANGE =
      Pattern.compile("bytes (\\d{1,18})-(\\d{1,18})/(\\d{1,18}|\\*)");

  private final Http http;
  private final RemoteFile file;
  private final PartialFile parts;
  private volatile Http.@Nullable Answer reading;
  private volatile long lastByte;
  private volatile boolean stopped;

  PartFetcher(Http http, RemoteFile file, PartialFile parts) {
    this.http = http;
    this.file = file;
    this.parts = parts;
  }

  /** No more; what is being read breaks. */
  void stop() {
    stopped = true;
    breakOff();
  }

  /** Breaks a connection over which nothing has come for long, so that another one is tried. */
  void breakIfStalled(Duration stall) {
    if (reading != null && System.nanoTime() - lastByte > stall.toNanos()) {
      breakOff();
    }
  }

  private void breakOff() {
    Http.Answer now = reading;
    if (now != null) {
      try {
        now.close();
      } catch (IOException e) {
        // it is broken, which was wanted
      }
    }
  }

  /**
   * Fetches what is missing of a part.
   *
   * @return false if the server gave the whole file instead of a part
   */
  boolean fetch(int part) throws IOException {
    Backoff.Tries tries = http.backoff().begin();
    while (parts.done(part) < parts.length(part)) {
      long before = parts.done(part);
      Optional<Duration> asked = Optional.empty();
      try (Http.Answer answer = ask(part)) {
        if (stopped) {
          throw new CancellationException("the pull was stopped");
        }
        if (Http.isTransient(answer.status())) {
          asked = Http.retryAfter(answer);
          if (!tries.again(asked)) {
            throw Http.unavailable(answer);
          }
          continue;
        }
        if (!isExpected(answer, part)) {
          return false;
        }
        read(answer, part);
      } catch (IOException e) {
        if (stopped) {
          throw new CancellationException("the pull was stopped");
        }
        if (isOurs(e)) {
          throw e;
        }
        if (parts.done(part) > before) {
          tries.succeeded();
        }
        if (!tries.again(Optional.empty())) {
          throw http.unreachable(file.address(), e);
        }
      } finally {
        reading = null;
      }
    }
    return true;
  }

  private Http.Answer ask(int part) throws IOException {
    long from = parts.start(part) + parts.done(part);
    long to = parts.start(part) + parts.length(part) - 1;
    Http.Answer answer =
        http.once(
            file.address(),
            Map.of("Range", "bytes=%d-%d".formatted(from, to), "Accept-Encoding", "identity"),
            file.token());
    lastByte = System.nanoTime();
    reading = answer;
    return answer;
  }

  /** Whether the bytes that follow are those that were asked for. */
  private boolean isExpected(Http.Answer answer, int part) throws IOException {
    long from = parts.start(part) + parts.done(part);
    switch (answer.status()) {
      case PARTIAL -> {
        requireRange(answer, from);
        return true;
      }
      case OK -> {
        requireSize(answer);
        if (parts.nParts() > 1) {
          return false;
        }
        parts.restart(part);
        return true;
      }
      case NOT_SATISFIABLE ->
          throw changed("it has fewer bytes than the %d announced".formatted(file.size()));
      default -> throw Refusals.of(answer, file.name(), file.token().isPresent());
    }
  }

  private void requireRange(Http.Answer answer, long from) throws IOException {
    String range = answer.header("Content-Range").orElse("");
    Matcher m = CONTENT_RANGE.matcher(range);
    if (!m.matches() || Long.parseLong(m.group(1)) != from) {
      throw new IOException(
          "asked for bytes from %d, it answered with '%s'".formatted(from, range));
    }
    if (!m.group(3).equals("*") && Long.parseLong(m.group(3)) != file.size()) {
      throw changed("it has %s bytes, not the %d announced".formatted(m.group(3), file.size()));
    }
  }

  private void requireSize(Http.Answer answer) {
    Optional<String> length = answer.header("Content-Length");
    if (length.isPresent() && !length.get().equals(Long.toString(file.size()))) {
      throw changed("it has %s bytes, not the %d announced".formatted(length.get(), file.size()));
    }
  }

  private HubException changed(String how) {
    return new HubException(
        HubException.Kind.DAMAGED,
        "%s on %s is not the file that was announced: %s. It may just have been changed; try again."
            .formatted(file.name(), file.address().getHost(), how));
  }

  private void read(Http.Answer answer, int part) throws IOException {
    byte[] buffer = new byte[BUFFER];
    InputStream body = answer.body();
    long missing = parts.length(part) - parts.done(part);
    while (missing > 0) {
      int n = body.read(buffer, 0, (int) Math.min(buffer.length, missing));
      if (n < 0) {
        throw new EOFException("the connection ended before the file did");
      }
      if (stopped) {
        throw new CancellationException("the pull was stopped");
      }
      store(part, ByteBuffer.wrap(buffer, 0, n));
      lastByte = System.nanoTime();
      missing -= n;
    }
  }

  /** Writes; a failure is the disk's and not the network's. */
  private void store(int part, ByteBuffer more) throws IOException {
    try {
      parts.append(part, more);
    } catch (IOException e) {
      throw new DiskException(e);
    }
  }

  private static boolean isOurs(IOException e) {
    return e instanceof DiskException;
  }

  /** What could not be written. */
  private static final class DiskException extends IOException {
    private static final long serialVersionUID = 1;

    DiskException(IOException cause) {
      super(cause.getMessage(), cause);
    }
  }
}
