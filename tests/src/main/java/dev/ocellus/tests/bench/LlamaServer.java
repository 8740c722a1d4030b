package dev.ocellus.tests.bench;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.ConnectException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A llama-server of our own on this machine, and what is asked of it. */
final class LlamaServer implements AutoCloseable {
  private static final int START_SECONDS = 60;
  private static final int LOOK_MILLIS = 50;

  private final Process process;
  private final Path log;
  private final URI address;
  private final int nTokens;
  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  /**
   * Starts it and waits until the model is loaded.
   *
   * @param nTokens tokens of every answer
   */
  LlamaServer(List<String> command, int nTokens) throws IOException, InterruptedException {
    this.nTokens = nTokens;
    int port;
    try (var free = new ServerSocket(0)) {
      port = free.getLocalPort();
    }
    this.address = URI.create("http://127.0.0.1:" + port);
    List<String> all = new ArrayList<>(command);
    all.addAll(List.of("--host", "127.0.0.1", "--port", Integer.toString(port)));
    this.log = Files.createTempFile("llama-server", ".log");
    this.process =
        new ProcessBuilder(all).redirectErrorStream(true).redirectOutput(log.toFile()).start();
    try {
      awaitReady();
    } catch (Throwable e) {
      close();
      throw e;
    }
  }

  private void awaitReady() throws IOException, InterruptedException {
    HttpRequest health = HttpRequest.newBuilder(address.resolve("/health")).build();
    for (int i = 0; i < START_SECONDS * 1000 / LOOK_MILLIS; i++) {
      if (process.waitFor(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
        throw new IOException("llama-server has ended:\n" + Files.readString(log));
      }
      if (isReady(health)) {
        return;
      }
    }
    throw new IOException("llama-server is not ready:\n" + Files.readString(log));
  }

  private boolean isReady(HttpRequest health) throws IOException, InterruptedException {
    try {
      return client.send(health, BodyHandlers.discarding()).statusCode() == 200;
    } catch (ConnectException e) {
      return false; // it does not listen yet
    }
  }

  /** Asks and reads the whole answer; returns the milliseconds until its first token. */
  double ask(String text, @Nullable Path image) throws IOException, InterruptedException {
    long start = System.nanoTime();
    HttpRequest request =
        HttpRequest.newBuilder(address.resolve("/v1/chat/completions"))
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(body(text, image)))
            .build();
    HttpResponse<InputStream> response = client.send(request, BodyHandlers.ofInputStream());
    long first = 0;
    var all = new StringBuilder();
    try (var lines =
        new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        if (first == 0 && line.startsWith("data: ")) {
          first = System.nanoTime();
        }
        all.append(line).append('\n');
      }
    }
    if (response.statusCode() != 200 || first == 0) {
      throw new IOException("status %d: %s".formatted(response.statusCode(), all));
    }
    return (first - start) / 1e6;
  }

  private String body(String text, @Nullable Path image) throws IOException {
    ObjectNode body = JsonNodeFactory.instance.objectNode();
    body.put("stream", true)
        .put("temperature", 0)
        .put("max_tokens", nTokens)
        .put("ignore_eos", true)
        .put("cache_prompt", false);
    ArrayNode content =
        body.putArray("messages").addObject().put("role", "user").putArray("content");
    if (image != null) {
      String bytes = Base64.getEncoder().encodeToString(Files.readAllBytes(image));
      content
          .addObject()
          .put("type", "image_url")
          .putObject("image_url")
          .put("url", "data:image/png;base64," + bytes);
    }
    content.addObject().put("type", "text").put("text", text);
    return body.toString();
  }

  @Override
  public void close() throws IOException {
    client.close();
    process.destroy();
    process.onExit().join();
    Files.deleteIfExists(log);
  }
}
