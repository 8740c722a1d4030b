package dev.ocellus.server.net;

import dev.ocellus.server.http.HttpCall;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.channels.SocketChannel;
import org.jspecify.annotations.Nullable;

/**
 * A connection of a client, and until when it has to do what is expected of it. Reads and writes
 * block, so whoever is late is cut off by closing the socket from another thread.
 */
final class Connection {
  /** No time is set. */
  private static final long NEVER = Long.MAX_VALUE;

  private static final ThreadLocal<@Nullable Connection> CURRENT = new ThreadLocal<>();

  private final SocketChannel channel;
  private final SocketAddress remote;
  private volatile long deadline = NEVER;
  private volatile @Nullable WatchedInput input;

  /**
   * @throws IOException if it is closed already
   */
  Connection(SocketChannel channel) throws IOException {
    this.channel = channel;
    this.remote = channel.getRemoteAddress();
  }

  /** The connection that this thread handles. */
  static Connection current() {
    Connection connection = CURRENT.get();
    if (connection == null) {
      throw new IllegalStateException("not on the thread of a connection");
    }
    return connection;
  }

  /** Makes this the connection of the thread, or none. */
  static void setCurrent(@Nullable Connection connection) {
    if (connection == null) {
      CURRENT.remove();
    } else {
      CURRENT.set(connection);
    }
  }

  /** Who is at the other end; no two open connections have the same. */
  SocketAddress remote() {
    return remote;
  }

  /** What {@link HttpCall#client} tells. */
  String client() {
    return remote instanceof InetSocketAddress inet
        ? inet.getAddress().getHostAddress()
        : remote.toString();
  }

  /** Reads what the client sends. */
  void readBy(WatchedInput reader) {
    input = reader;
  }

  /** Expects the client to do something in so many nanoseconds. */
  void expectWithin(long nanos) {
    deadline = System.nanoTime() + nanos;
  }

  /** Expects nothing of the client. */
  void expectNothing() {
    deadline = NEVER;
  }

  /** From now on until it is read from again, notices when the client closes the connection. */
  void watch() {
    WatchedInput reader = input;
    if (reader != null) {
      reader.watch();
    }
  }

  /** Whether neither side has closed the connection, as far as was noticed. */
  boolean isOpen() {
    WatchedInput reader = input;
    return channel.isOpen() && (reader == null || !reader.isAtEnd());
  }

  /** Whether this side has not closed it. */
  boolean isHeld() {
    return channel.isOpen();
  }

  /** Closes it if the client is late. */
  void cutIfLate(long now) {
    long until = deadline;
    if (until != NEVER && now - until > 0) {
      cut();
    }
  }

  /** Closes it, whatever is being read or written. */
  void cut() {
    deadline = NEVER;
    try {
      channel.close();
    } catch (IOException e) { // it is of no use any more, as it should be
    }
  }
}
