package dev.ocellus.server.net;

import dev.ocellus.server.http.BodyTooLargeException;
import dev.ocellus.server.http.ClientLeftException;
import dev.ocellus.server.http.HttpCall;
import dev.ocellus.server.options.ListenOptions;
import io.helidon.common.buffers.DataReader;
import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import io.helidon.http.RequestException;
import io.helidon.http.Status;
import io.helidon.webserver.ServerConnectionException;
import io.helidon.webserver.http.ServerRequest;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Optional;

/** A request as Helidon has it. */
final class HelidonCall implements HttpCall {
  private final ServerRequest request;
  private final Connection connection;
  private final long bodyNanos;
  private boolean watched;

  HelidonCall(ServerRequest request, Connection connection, ListenOptions options) {
    this.request = request;
    this.connection = connection;
    this.bodyNanos = options.bodyTime().toNanos();
  }

  @Override
  public String method() {
    return request.prologue().method().text();
  }

  @Override
  public String path() {
    return request.path().path();
  }

  @Override
  public Optional<String> query(String name) {
    return request.query().first(name).asOptional();
  }

  @Override
  public Optional<String> header(String name) {
    HeaderName header = HeaderNames.create(name);
    return request.headers().first(header);
  }

  @Override
  public String client() {
    return connection.client();
  }

  @Override
  public byte[] body(int maxBytes) throws IOException {
    long length = request.headers().contentLength().orElse(0);
    if (length > maxBytes) {
      throw new BodyTooLargeException(maxBytes);
    }
    connection.expectWithin(bodyNanos);
    byte[] body;
    try { // the stream is not closed, since that would read what is left of it
      InputStream in = request.content().inputStream();
      body = in.readNBytes(maxBytes);
      if (body.length == maxBytes && in.read() >= 0) {
        throw new BodyTooLargeException(maxBytes);
      }
    } catch (UncheckedIOException e) {
      throw e.getCause();
    } catch (RequestException e) {
      if (e.status().code() == Status.REQUEST_ENTITY_TOO_LARGE_413.code()) {
        throw new BodyTooLargeException(maxBytes);
      }
      throw new ClientLeftException(e);
    } catch (ServerConnectionException | DataReader.InsufficientDataAvailableException e) {
      throw new ClientLeftException(e);
    } finally {
      connection.expectNothing();
    }
    return body;
  }

  /** The socket is watched as soon as somebody wants to know; everything has been read by then. */
  @Override
  public boolean isOpen() {
    if (!watched) {
      watched = true;
      connection.watch();
    }
    return connection.isOpen();
  }
}
