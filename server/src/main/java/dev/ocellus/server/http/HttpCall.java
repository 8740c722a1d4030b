package dev.ocellus.server.http;

import java.io.IOException;
import java.util.Optional;

/** A request. For one thread, which may block. */
public interface HttpCall {
  /** The method, in capitals. */
  String method();

  /** The decoded path, which begins with a slash, without the query. */
  String path();

  /** A parameter of the query; the first, if there are several. */
  Optional<String> query(String name);

  /** A header; the first value, if there are several. */
  Optional<String> header(String name);

  /** Who asks, as far as the network tells; for sharing evenly among clients and for logs. */
  String client();

  /**
   * The whole body.
   *
   * @param maxBytes most bytes to read
   * @throws BodyTooLargeException if there are more
   * @throws IOException if the client leaves, or is too slow
   */
  byte[] body(int maxBytes) throws IOException;

  /** Whether the client is still there, as far as is known. Any thread may ask. */
  boolean isOpen();
}
