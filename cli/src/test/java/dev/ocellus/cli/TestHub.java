package dev.ocellus.cli;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.ocellus.io.Sha256;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** A hub on this machine, with repositories of one commit. */
final class TestHub implements AutoCloseable {
  private static final String COMMIT = "89abcdef0123456789abcdef0123456789abcdef";

  private final Map<String, Map<String, byte[]>> repositories;
  private final HttpServer server;
  private final AtomicInteger requests = new AtomicInteger();

  private TestHub(Map<String, Map<String, byte[]>> repositories, HttpServer server) {
    this.repositories = repositories;
    this.server = server;
  }

  /**
   * @param repositories by name, such as org/demo: their files, by name
   */
  static TestHub of(Map<String, Map<String, byte[]>> repositories) throws IOException {
    var address = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    TestHub hub = new TestHub(repositories, HttpServer.create(address, 0));
    hub.server.createContext("/", hub::answer);
    hub.server.start();
    return hub;
  }

  byte[] file(String repository, String name) {
    return Objects.requireNonNull(Objects.requireNonNull(repositories.get(repository)).get(name));
  }

  /** How often it was asked for something. */
  int requests() {
    return requests.get();
  }

  /** Runs the program with this hub and a cache. */
  Cli run(Path cache, Object... arguments) {
    Map<String, String> environment =
        Map.of(
            "HF_ENDPOINT", "http://127.0.0.1:" + server.getAddress().getPort(),
            "HF_HUB_CACHE", cache.toString(),
            "OLLAMA_MODELS", cache.resolve("ollama").toString());
    return Cli.runWithEnvironment(environment, "", arguments);
  }

  private void answer(HttpExchange exchange) throws IOException {
    requests.incrementAndGet();
    byte @Nullable [] body = body(exchange.getRequestURI().getPath());
    try (exchange) {
      exchange.sendResponseHeaders(body == null ? 404 : 200, body == null ? -1 : body.length);
      if (body != null) {
        exchange.getResponseBody().write(body);
      }
    }
  }

  private byte @Nullable [] body(String path) {
    for (Map.Entry<String, Map<String, byte[]>> repository : repositories.entrySet()) {
      String name = "/" + repository.getKey();
      if (path.endsWith(name + "/refs")) {
        return utf8("{\"branches\":[{\"name\":\"main\",\"targetCommit\":\"" + COMMIT + "\"}]}");
      }
      if (path.contains(name + "/tree/")) {
        return utf8(tree(repository.getValue()));
      }
      if (path.startsWith(name + "/resolve/")) {
        return repository.getValue().get(path.substring(path.lastIndexOf('/') + 1));
      }
    }
    return null;
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static String tree(Map<String, byte[]> files) {
    return new TreeMap<>(files)
        .entrySet().stream()
            .map(file ->
                "{\"type\":\"file\",\"path\":\"%s\",\"size\":%d,\"lfs\":{\"oid\":\"%s\",\"size\":%d}}"
                    .formatted(
                        file.getKey(),
                        file.getValue().length,
                        Sha256.hex(file.getValue()),
                        file.getValue().length))
            .collect(Collectors.joining(",", "[", "]"));
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
