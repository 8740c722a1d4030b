package dev.ocellus.server.options;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Where a server listens, and how long it bears with connections.
 *
 * @param host address or name to listen on
 * @param port 0 for any that is free
 * @param tls certificate and key; null for HTTP without encryption
 * @param maxConnections open at the same time
 * @param headerTime until a request's header is complete, counted from the end of the last answer,
 *     so also how long an idle connection is kept
 * @param bodyTime until a request's body is complete
 * @param writeTime until a client has taken a piece of its answer
 */
public record ListenOptions(
    String host,
    int port,
    @Nullable TlsFiles tls,
    int maxConnections,
    Duration headerTime,
    Duration bodyTime,
    Duration writeTime) {
  public ListenOptions {
    if (port < 0 || port > 65_535) {
      throw new IllegalArgumentException("port: expected 0 to 65535, found " + port);
    }
    if (maxConnections < 1) {
      throw new IllegalArgumentException(
          "connections: expected at least 1, found " + maxConnections);
    }
    if (!headerTime.isPositive() || !bodyTime.isPositive() || !writeTime.isPositive()) {
      throw new IllegalArgumentException(
          "times must be positive: %s, %s, %s".formatted(headerTime, bodyTime, writeTime));
    }
  }

  /**
   * This machine only, port 8080, 512 connections, 60 s for a header, 60 s for a body, 30 s to take
   * a piece.
   */
  public static ListenOptions defaults() {
    return new ListenOptions(
        "127.0.0.1",
        8080,
        null,
        512,
        Duration.ofSeconds(60),
        Duration.ofSeconds(60),
        Duration.ofSeconds(30));
  }

  public ListenOptions withHost(String address) {
    return new ListenOptions(address, port, tls, maxConnections, headerTime, bodyTime, writeTime);
  }

  public ListenOptions withPort(int number) {
    return new ListenOptions(host, number, tls, maxConnections, headerTime, bodyTime, writeTime);
  }

  public ListenOptions withTls(@Nullable TlsFiles files) {
    return new ListenOptions(host, port, files, maxConnections, headerTime, bodyTime, writeTime);
  }

  public ListenOptions withMaxConnections(int max) {
    return new ListenOptions(host, port, tls, max, headerTime, bodyTime, writeTime);
  }

  public ListenOptions withTimes(Duration header, Duration body, Duration write) {
    return new ListenOptions(host, port, tls, maxConnections, header, body, write);
  }
}
