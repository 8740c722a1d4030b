package dev.ocellus.server;

import dev.ocellus.server.options.HostingOptions;
import dev.ocellus.server.options.ModelSource;
import dev.ocellus.server.options.ServerOptions;
import dev.ocellus.vlm.DemoModel;
import dev.ocellus.vlm.options.LoadOptions;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;

/** Servers with the embedded models, and what tests send to them. */
final class TestServer {
  static final String CHAT = DemoModel.NAME;
  static final String EMBEDDING = DemoModel.DUAL_ENCODER;

  /** The model that chats with a template that shows tools and knows reasoning. */
  static final String TOOLS = "tiny-with-tools";

  private static final String TEMPLATE =
      """
      {%- if tools %}{{ '<|im_start|>system\\nTools:\\n<tools>' }}{% for tool in tools %}{{ tool | tojson }}{% endfor %}{{ '</tools>\\nFor each call:\\n<tool_call>\\n{"name": ..., "arguments": ...}\\n</tool_call><|im_end|>\\n' }}{% endif -%}
      {%- for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' }}{% if message['content'] is string %}{{ message['content'] }}{% else %}{% for part in message['content'] %}{% if part['type'] == 'image' %}{{ '<image>' }}{% else %}{{ part['text'] }}{% endif %}{% endfor %}{% endif %}{% for call in message['tool_calls'] or [] %}{{ '<tool_call>\\n' + (call['function'] | tojson) + '\\n</tool_call>' }}{% endfor %}{{ '<|im_end|>\\n' }}{% endfor -%}
      {{ '<|im_start|>assistant\\n' }}\
      """;

  private TestServer() {}

  /** Started when it is first asked for. */
  private static final class Shared {
    static final OcellusServer SERVER = start(options());

    static {
      Runtime.getRuntime().addShutdownHook(new Thread(SERVER::close));
    }
  }

  /** One server for all tests that do not change it. */
  static OcellusServer shared() {
    return Shared.SERVER;
  }

  static OcellusServer start(ServerOptions options) {
    try {
      return OcellusServer.start(options);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Options with all three models, on any port. */
  static ServerOptions options() {
    try {
      LoadOptions files = DemoModel.files();
      LoadOptions load = files.withSessions(files.sessions().withParallel(4));
      var options =
          ServerOptions.of(
              List.of(
                  ModelSource.chat(CHAT, load),
                  ModelSource.chat(TOOLS, load.withChatTemplate(TEMPLATE)),
                  ModelSource.embedding(EMBEDDING, DemoModel.dualEncoder())));
      return options
          .withListen(options.listen().withPort(0))
          .withHosting(HostingOptions.defaults().withDrainTime(Duration.ofSeconds(10)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static String url(OcellusServer server) {
    return "http://127.0.0.1:" + server.port();
  }

  static Path docs() {
    Path here = Path.of("docs");
    return Files.isDirectory(here) ? here : Path.of("..", "docs");
  }

  static byte[] circle() {
    try {
      return Files.readAllBytes(docs().resolve("pictures/red-circle.png"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static String circleBase64() {
    return Base64.getEncoder().encodeToString(circle());
  }

  static String circleUrl() {
    return "data:image/png;base64," + circleBase64();
  }

  /** A question about the circle, to be answered with the likeliest tokens. */
  static String question(String more) {
    return """
    {"model": "%s", "temperature": 0, %s "messages": [{"role": "user", "content": [
      {"type": "image_url", "image_url": {"url": "%s"}},
      {"type": "text", "text": "What is this?"}]}]}\
    """
        .formatted(CHAT, more, circleUrl());
  }

  static HttpResponse<String> post(OcellusServer server, String path, String body) {
    return send(request(server, path).POST(HttpRequest.BodyPublishers.ofString(body)).build());
  }

  static HttpResponse<String> get(OcellusServer server, String path) {
    return send(request(server, path).build());
  }

  static HttpRequest.Builder request(OcellusServer server, String path) {
    return HttpRequest.newBuilder(URI.create(url(server) + path)).timeout(Duration.ofMinutes(2));
  }

  static HttpResponse<String> send(HttpRequest request) {
    try (HttpClient client = HttpClient.newHttpClient()) {
      return client.send(request, HttpResponse.BodyHandlers.ofString());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
