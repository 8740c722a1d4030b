package dev.ocellus.server.net;

import dev.ocellus.server.options.ListenOptions;
import io.helidon.common.buffers.BufferData;
import io.helidon.common.concurrency.limits.Limit;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.ConnectionContext;
import io.helidon.webserver.spi.ServerConnection;
import io.helidon.webserver.spi.ServerConnectionSelector;
import java.io.IOException;
import java.net.SocketAddress;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * All connections of a server, wrapped around Helidon's, and the thread that cuts off late ones.
 */
final class Connections implements ServerConnectionSelector, AutoCloseable {
  private static final long LOOK_MILLIS = 100;

  private final ServerConnectionSelector http;
  private final long headerNanos;
  private final Map<SocketAddress, Connection> open = new ConcurrentHashMap<>();
  private final Thread watch;
  private volatile boolean closed;

  Connections(ServerConnectionSelector http, ListenOptions options) {
    this.http = http;
    this.headerNanos = options.headerTime().toNanos();
    this.watch = Thread.ofPlatform().daemon().name("ocellus-connections").start(this::watch);
  }

  private void watch() {
    while (!closed) {
      try {
        Thread.sleep(LOOK_MILLIS);
      } catch (InterruptedException e) {
        return;
      }
      try {
        cutThoseThatAreLate();
      } catch (OutOfMemoryError e) { // this thread has to outlive it, and looks again
      }
    }
  }

  private void cutThoseThatAreLate() {
    long now = System.nanoTime();
    open.values().forEach(connection -> connection.cutIfLate(now));
    open.values().removeIf(connection -> !connection.isHeld()); // ended before it was handled
  }

  /** A client has connected. From now on it is expected to ask something. */
  void accepted(SocketChannel channel) {
    try {
      var connection = new Connection(channel);
      connection.expectWithin(headerNanos);
      open.put(connection.remote(), connection);
    } catch (IOException e) { // it has gone again, which Helidon will see
    }
  }

  /** How many there are. */
  int size() {
    return open.size();
  }

  /** Cuts all. */
  void cutAll() {
    open.values().forEach(Connection::cut);
  }

  @Override
  public void close() {
    closed = true;
    watch.interrupt();
  }

  @Override
  public int bytesToIdentifyConnection() {
    return http.bytesToIdentifyConnection();
  }

  @Override
  public Support supports(BufferData data) {
    return Support.SUPPORTED; // whatever it is, and answered with an error where it is not HTTP/1.1
  }

  @Override
  public Set<String> supportedApplicationProtocols() {
    return http.supportedApplicationProtocols();
  }

  @Override
  public ServerConnection connection(ConnectionContext context) {
    Connection connection = open.get(context.remotePeer().address());
    if (connection == null) {
      throw new CloseConnectionException("the connection was cut off");
    }
    var input = new WatchedInput(context.dataReader());
    connection.readBy(input);
    ServerConnection inner = http.connection(new WatchedContext(context, input));
    return new ServerConnection() {
      @Override
      public void handle(Limit limit) throws InterruptedException {
        Connection.setCurrent(connection);
        try {
          inner.handle(limit);
        } finally {
          Connection.setCurrent(null);
          open.remove(connection.remote(), connection);
        }
      }

      @Override
      public Duration idleTime() {
        return inner.idleTime();
      }

      @Override
      public void close(boolean interrupt) {
        inner.close(interrupt);
      }
    };
  }
}
