package dev.ocellus.hub;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.ocellus.io.Sha256;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A hub on this machine: one server for its API and another one that large files are fetched from,
 * as on the real one. Tests make either misbehave.
 */
final class TestHub implements AutoCloseable {
  static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";
  private static final Pattern RANGE = Pattern.compile("bytes=(\\d+)-(\\d*)");
  private static final Pattern RESOLVE = Pattern.compile("/[^/]+/[^/]+/resolve/[^/]+/(.*)");

  /** What a test does instead of, or before, the right answer. */
  @FunctionalInterface
  interface Trick {
    /** Whether it has answered. */
    boolean on(HttpExchange exchange) throws IOException;
  }

  private final HttpServer api = server();
  private final HttpServer store = server();
  final Map<String, byte[]> files = new LinkedHashMap<>();

  /** Method, path and what is asked of the range, of each request to the store. */
  final List<String> fetched = new CopyOnWriteArrayList<>();

  final List<Headers> storeHeaders = new CopyOnWriteArrayList<>();
  final List<String> asked = new CopyOnWriteArrayList<>();
  volatile Trick apiTrick = exchange -> false;
  volatile Trick storeTrick = exchange -> false;

  TestHub() {
    api.createContext("/", exchange -> handle(exchange, this::api));
    store.createContext("/", exchange -> handle(exchange, this::store));
    api.start();
    store.start();
  }

  private static HttpServer server() {
    try {
      HttpServer server =
          HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
      server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
      return server;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  URI address() {
    return address(api);
  }

  URI storeAddress() {
    return address(store);
  }

  private static URI address(HttpServer server) {
    return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
  }

  private interface Handler {
    void on(HttpExchange exchange) throws IOException;
  }

  private static void handle(HttpExchange exchange, Handler handler) throws IOException {
    try (exchange) {
      handler.on(exchange);
    }
  }

  private void api(HttpExchange exchange) throws IOException {
    String path = exchange.getRequestURI().getPath();
    asked.add(path);
    if (apiTrick.on(exchange)) {
      return;
    }
    Matcher resolve = RESOLVE.matcher(path);
    if (path.endsWith("/refs")) {
      text(
          exchange,
          200,
          """
          {"branches":[{"name":"main","ref":"refs/heads/main","targetCommit":"%s"}],"tags":[]}
          """
              .formatted(COMMIT));
    } else if (path.contains("/tree/")) {
      text(exchange, 200, tree());
    } else if (resolve.matches() && files.containsKey(resolve.group(1))) {
      exchange.getResponseHeaders().add("X-Repo-Commit", COMMIT);
      exchange.getResponseHeaders().add("Location", storeAddress() + "/" + resolve.group(1));
      exchange.sendResponseHeaders(302, -1);
    } else {
      exchange.getResponseHeaders().add("X-Error-Code", "RepoNotFound");
      exchange.sendResponseHeaders(404, -1);
    }
  }

  private String tree() {
    List<String> entries = new ArrayList<>();
    files.forEach((path, bytes) ->
        entries.add(
            """
            {"type":"file","path":"%s","size":%d,"oid":"%s","lfs":{"oid":"%s","size":%d}}\
            """
                .formatted(path, bytes.length, "0".repeat(40), Sha256.hex(bytes), bytes.length)));
    return "[" + String.join(",", entries) + "]";
  }

  private void store(HttpExchange exchange) throws IOException {
    String range = String.valueOf(exchange.getRequestHeaders().getFirst("Range"));
    fetched.add(exchange.getRequestURI().getPath() + " " + range);
    storeHeaders.add(exchange.getRequestHeaders());
    if (storeTrick.on(exchange)) {
      return;
    }
    give(exchange, file(exchange.getRequestURI().getPath().substring(1)));
  }

  byte[] file(String path) {
    return Objects.requireNonNull(files.get(path), path);
  }

  /** Answers with the bytes that were asked for. */
  static void give(HttpExchange exchange, byte[] bytes) throws IOException {
    int[] range = range(exchange, bytes.length);
    exchange
        .getResponseHeaders()
        .add("Content-Range", "bytes %d-%d/%d".formatted(range[0], range[1] - 1, bytes.length));
    exchange.sendResponseHeaders(206, range[1] - range[0]);
    exchange.getResponseBody().write(bytes, range[0], range[1] - range[0]);
  }

  /** From, and to (exclusive), of a request. */
  static int[] range(HttpExchange exchange, int length) {
    Matcher m = RANGE.matcher(String.valueOf(exchange.getRequestHeaders().getFirst("Range")));
    if (!m.matches()) {
      return new int[] {0, length};
    }
    int to = m.group(2).isEmpty() ? length : Integer.parseInt(m.group(2)) + 1;
    return new int[] {Integer.parseInt(m.group(1)), Math.min(to, length)};
  }

  /** Promises the bytes that were asked for, gives {@code n} of them, and breaks the connection. */
  static void cut(HttpExchange exchange, byte[] bytes, int n) throws IOException {
    int[] range = range(exchange, bytes.length);
    exchange
        .getResponseHeaders()
        .add("Content-Range", "bytes %d-%d/%d".formatted(range[0], range[1] - 1, bytes.length));
    exchange.sendResponseHeaders(206, range[1] - range[0]);
    OutputStream body = exchange.getResponseBody();
    body.write(bytes, range[0], Math.min(n, range[1] - range[0]));
    body.flush();
  }

  static void text(HttpExchange exchange, int status, String text) throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(status, bytes.length);
    exchange.getResponseBody().write(bytes);
  }

  static void status(HttpExchange exchange, int status) throws IOException {
    exchange.sendResponseHeaders(status, -1);
  }

  @Override
  public void close() {
    api.stop(0);
    store.stop(0);
  }
}
