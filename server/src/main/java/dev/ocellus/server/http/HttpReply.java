package dev.ocellus.server.http;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What is answered to a request.
 *
 * @param status HTTP's status code
 * @param headers among them {@code Content-Type}
 * @param content the body
 */
public record HttpReply(int status, Map<String, String> headers, Content content) {
  /** A body. */
  public sealed interface Content {}

  /** A body that is there. */
  public record Whole(byte[] bytes) implements Content {}

  /** A body that is written piece by piece. */
  public record Streamed(Writing writing) implements Content {}

  /** Writes a body on the thread of the request; what it throws ends the connection. */
  @FunctionalInterface
  public interface Writing {
    void writeTo(Sink sink) throws IOException;
  }

  /** Where pieces of a body go. */
  @FunctionalInterface
  public interface Sink {
    /**
     * Sends a piece to the client at once.
     *
     * @throws IOException if the client has left, or does not take it in time
     */
    void write(byte[] piece) throws IOException;
  }

  public HttpReply {
    headers = Map.copyOf(headers);
  }

  /** A body that is there. */
  public static HttpReply of(int status, String contentType, byte[] body) {
    return new HttpReply(status, Map.of("Content-Type", contentType), new Whole(body));
  }

  /** A body that is written piece by piece, and not to be kept by anybody. */
  public static HttpReply streamed(String contentType, Writing writing) {
    return new HttpReply(
        200,
        Map.of("Content-Type", contentType, "Cache-Control", "no-store", "X-Accel-Buffering", "no"),
        new Streamed(writing));
  }

  /** The same with more headers. */
  public HttpReply with(Map<String, String> more) {
    Map<String, String> all = new LinkedHashMap<>(headers);
    all.putAll(more);
    return new HttpReply(status, all, content);
  }
}
