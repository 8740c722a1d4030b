package dev.ocellus.server.image;

import java.io.IOException;
import java.net.InetAddress;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * The system's resolver, which takes as long as it likes and cannot be interrupted: it is asked on
 * a few threads of its own, and nobody waits longer than his deadline. Names whose servers never
 * answer hold up no more than those threads.
 */
final class SystemLookup implements HostLookup {
  private static final int MAX_THREADS = 8;
  private static final int MAX_WAITING = 64;

  /** What may take long. */
  @FunctionalInterface
  interface Resolver {
    InetAddress[] resolve(String host) throws UnknownHostException;
  }

  private final Resolver resolver;
  private final ThreadPoolExecutor threads =
      new ThreadPoolExecutor(
          MAX_THREADS,
          MAX_THREADS,
          10,
          TimeUnit.SECONDS,
          new ArrayBlockingQueue<>(MAX_WAITING),
          Thread.ofPlatform().daemon().name("ocellus-lookup-", 0).factory());

  SystemLookup() {
    this(InetAddress::getAllByName);
  }

  SystemLookup(Resolver resolver) {
    this.resolver = resolver;
    threads.allowCoreThreadTimeOut(true);
  }

  @Override
  public InetAddress[] lookUp(String host, Deadline deadline) throws IOException {
    int millis = deadline.millisLeft();
    Future<InetAddress[]> found;
    try {
      found = threads.submit(() -> resolver.resolve(host));
    } catch (RejectedExecutionException e) {
      throw late(e);
    }
    try {
      return found.get(millis, TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      throw late(e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof IOException cause) {
        throw cause;
      }
      throw new IOException("the lookup failed", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw late(e);
    } finally {
      found.cancel(false); // one that waits for its turn needs no answer any more
      threads.purge();
    }
  }

  private static SocketTimeoutException late(Exception cause) {
    var late = new SocketTimeoutException("looking the host up took too long");
    late.initCause(cause);
    return late;
  }
}
