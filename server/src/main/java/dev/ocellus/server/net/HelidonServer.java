package dev.ocellus.server.net;

import dev.ocellus.server.http.HttpHandler;
import dev.ocellus.server.http.HttpReply;
import dev.ocellus.server.options.ListenOptions;
import dev.ocellus.server.options.TlsFiles;
import io.helidon.common.tls.Tls;
import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import io.helidon.http.Status;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.WebServer;
import io.helidon.webserver.http.HttpRouting;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import io.helidon.webserver.http1.Http1Config;
import io.helidon.webserver.http1.Http1ConnectionSelector;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.lang.System.Logger.Level;
import java.net.InetAddress;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Serves a handler over HTTP/1.1. Every connection has a virtual thread, which blocks where it
 * waits.
 */
public final class HelidonServer implements AutoCloseable {
  private static final System.Logger LOGGER = System.getLogger(HelidonServer.class.getName());

  private static final int MAX_REQUEST_LINE = 4096;
  private static final int MAX_HEADERS = 16_384;
  private static final long LOOK_MILLIS = 10;

  private final HttpHandler handler;
  private final ListenOptions options;
  private final Connections connections;
  private final WebServer server;
  private final AtomicInteger answering = new AtomicInteger();

  private HelidonServer(HttpHandler handler, ListenOptions options, int maxBodyBytes)
      throws IOException {
    TlsFiles tls = options.tls();
    Tls secured = tls == null ? null : TlsContext.of(tls); // before there is anything to be closed
    this.handler = handler;
    this.options = options;
    this.connections =
        new Connections(
            Http1ConnectionSelector.builder()
                .config(
                    Http1Config.builder()
                        .maxPrologueLength(MAX_REQUEST_LINE)
                        .maxHeadersSize(MAX_HEADERS)
                        .validateRequestHeaders(true)
                        .validateRequestHostHeader(true)
                        .continueImmediately(false)
                        .build())
                .build(),
            options);
    var builder =
        WebServer.builder()
            .address(InetAddress.getByName(options.host()))
            .port(options.port())
            .shutdownHook(false)
            .maxTcpConnections(options.maxConnections())
            .maxPayloadSize((long) maxBodyBytes + 1)
            .connectionOptions(new AcceptedSockets(connections::accepted))
            .addConnectionSelector(connections)
            .routing(HttpRouting.builder().any(this::handle));
    if (secured != null) {
      builder.tls(secured);
    }
    this.server = builder.build();
  }

  /**
   * Begins to listen.
   *
   * @param maxBodyBytes longest body that any handler takes
   * @throws IOException if the address is taken or is none of this machine
   * @throws dev.ocellus.server.options.TlsException if the certificate or its key cannot be used
   */
  public static HelidonServer start(HttpHandler handler, ListenOptions options, int maxBodyBytes)
      throws IOException {
    var server = new HelidonServer(handler, options, maxBodyBytes);
    try {
      server.server.start();
    } catch (UncheckedIOException e) {
      server.connections.close();
      throw e.getCause();
    } catch (RuntimeException e) {
      server.connections.close();
      if (e.getCause() instanceof IOException io) {
        throw io;
      }
      throw e;
    }
    return server;
  }

  /** The port that it listens on. */
  public int port() {
    return server.port();
  }

  /** Open connections. */
  public int nConnections() {
    return connections.size();
  }

  private void handle(ServerRequest request, ServerResponse response) {
    Connection connection = Connection.current();
    connection.expectNothing();
    answering.incrementAndGet();
    try {
      HttpReply reply = handler.handle(new HelidonCall(request, connection, options));
      boolean last = isLast(request, reply);
      response.status(Status.create(reply.status()));
      reply.headers().forEach((name, value) -> response.header(HeaderNames.create(name), value));
      if (last) {
        response.header(HeaderValues.CONNECTION_CLOSE);
      }
      boolean streamed = reply.content() instanceof HttpReply.Streamed;
      if (last && streamed) { // the end of a stream is only written when this returns
        response.whenSent(connection::cut);
      }
      send(reply.content(), response, connection);
      if (last && !streamed) {
        throw new CloseConnectionException("this was the last request of the connection");
      }
    } finally {
      answering.decrementAndGet();
      connection.expectWithin(options.headerTime().toNanos());
    }
  }

  /** The client wants no more, or what it still sends of its request is not worth reading. */
  private static boolean isLast(ServerRequest request, HttpReply reply) {
    return request.headers().containsToken(HeaderValues.CONNECTION_CLOSE)
        || reply.status() == Status.REQUEST_ENTITY_TOO_LARGE_413.code()
        || reply.status() == Status.REQUEST_TIMEOUT_408.code();
  }

  private void send(HttpReply.Content content, ServerResponse response, Connection connection) {
    switch (content) {
      case HttpReply.Whole(byte[] bytes) -> {
        connection.expectWithin(options.writeTime().toNanos());
        response.send(bytes);
      }
      case HttpReply.Streamed(HttpReply.Writing writing) -> {
        try {
          stream(writing, response, connection);
        } catch (IOException e) {
          connection.cut(); // the end is missing, and nobody may take the answer for a whole one
          LOGGER.log(Level.DEBUG, "a client left", e);
        }
      }
    }
  }

  private void stream(HttpReply.Writing writing, ServerResponse response, Connection connection)
      throws IOException {
    try (OutputStream out = response.outputStream()) {
      writing.writeTo(piece -> {
        connection.expectWithin(options.writeTime().toNanos());
        try {
          out.write(piece);
          out.flush();
        } catch (RuntimeException e) { // Helidon's for a socket that is closed
          throw new IOException("the client does not take the answer", e);
        }
        connection.expectNothing();
      });
      connection.expectWithin(options.writeTime().toNanos());
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  /** Waits until all that was asked is answered and sent, but no longer than this. */
  public void awaitAnswers(Duration time) {
    long end = System.nanoTime() + time.toNanos();
    try {
      while (answering.get() > 0 && System.nanoTime() < end) {
        Thread.sleep(LOOK_MILLIS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Takes no more connections, and cuts those that are open. */
  @Override
  public void close() {
    connections.cutAll();
    server.stop();
    connections.close();
  }
}
