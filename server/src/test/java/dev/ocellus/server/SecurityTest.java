package dev.ocellus.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.server.options.AccessOptions;
import dev.ocellus.server.options.ServerOptions;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SecurityTest {
  private static final String CHAT = "/v1/chat/completions";
  private static final String HI =
      "{\"max_tokens\": 1, \"messages\": [{\"role\": \"user\", \"content\": \"hi\"}]}";

  private static ServerOptions with(AccessOptions access) {
    return TestServer.options().withAccess(access);
  }

  private static int status(OcellusServer server, String path, String... headers) {
    return TestServer.send(TestServer.request(server, path).headers(headers).build()).statusCode();
  }

  @Test
  void listensOnThisMachineOnly() {
    assertThat(TestServer.options().listen().host()).isEqualTo("127.0.0.1");
    assertThat(ServerOptions.of(TestServer.options().models()).remoteImages().allowed()).isFalse();
  }

  @Test
  void asksForAKey() {
    var access = AccessOptions.defaults().withApiKeys(List.of("first key", "second"));
    try (OcellusServer server = TestServer.start(with(access))) {
      assertThat(status(server, "/v1/models", "a", "b")).isEqualTo(401);
      assertThat(status(server, "/v1/models", "Authorization", "Bearer wrong")).isEqualTo(401);
      assertThat(status(server, "/v1/models", "Authorization", "Bearer first")).isEqualTo(401);
      assertThat(status(server, "/v1/models", "Authorization", "first key")).isEqualTo(401);
      assertThat(status(server, "/v1/models", "Authorization", "Bearer first key")).isEqualTo(200);
      assertThat(status(server, "/v1/models", "X-Api-Key", "second")).isEqualTo(200);
      assertThat(status(server, "/metrics", "a", "b")).isEqualTo(401);
      assertThat(status(server, "/props", "a", "b")).isEqualTo(401);
      assertThat(status(server, "/api/tags", "a", "b")).isEqualTo(401);
      assertThat(status(server, "/none", "a", "b")).isEqualTo(401);
      assertThat(status(server, "/health", "a", "b")).isEqualTo(200);
      assertThat(status(server, "/page/app.js", "a", "b")).isEqualTo(200);
    }
  }

  /** Each key is compared, as a hash of one length, so no time tells how much of it is right. */
  @Test
  void keysAreComparedWhole() {
    var access = AccessOptions.defaults().withApiKeys(List.of("a".repeat(1000)));
    assertThat(access.toString()).doesNotContain("aaa");
    try (OcellusServer server = TestServer.start(with(access))) {
      for (int n : new int[] {1, 10, 999, 1001, 4000}) {
        assertThat(status(server, "/v1/models", "X-Api-Key", "a".repeat(n))).isEqualTo(401);
      }
    }
  }

  @Test
  void pagesOfOthersAreRefused() {
    OcellusServer server = TestServer.shared();
    HttpRequest.Builder request =
        TestServer.request(server, CHAT).POST(HttpRequest.BodyPublishers.ofString(HI));
    HttpResponse<String> answer =
        TestServer.send(request.header("Origin", "https://evil.example").build());
    assertThat(answer.statusCode()).isEqualTo(403);
    assertThat(answer.headers().firstValue("Access-Control-Allow-Origin")).isEmpty();
    assertThat(status(server, "/v1/models", "Origin", TestServer.url(server))).isEqualTo(200);
    assertThat(status(server, "/v1/models", "Origin", "null")).isEqualTo(403);
  }

  @Test
  void originsThatAreNamedMayUseTheServer() {
    var access = AccessOptions.defaults().withOrigins(List.of("https://app.example"));
    try (OcellusServer server = TestServer.start(with(access))) {
      HttpRequest preflight =
          TestServer.request(server, CHAT)
              .method("OPTIONS", HttpRequest.BodyPublishers.noBody())
              .header("Origin", "https://app.example")
              .header("Access-Control-Request-Headers", "authorization, x-stainless-lang")
              .build();
      HttpResponse<String> answer = TestServer.send(preflight);
      assertThat(answer.statusCode()).isEqualTo(204);
      assertThat(answer.headers().firstValue("Access-Control-Allow-Origin"))
          .contains("https://app.example");
      assertThat(answer.headers().firstValue("Access-Control-Allow-Headers"))
          .contains("authorization, x-stainless-lang");
      assertThat(status(server, "/v1/models", "Origin", "https://other.example")).isEqualTo(403);
    }
  }

  /** One that does not bear with connections that are left open. */
  private static final OcellusServer STRICT = strict();

  private static OcellusServer strict() {
    var options = TestServer.options();
    Duration time = Duration.ofSeconds(2);
    OcellusServer server =
        TestServer.start(options.withListen(options.listen().withTimes(time, time, time)));
    Runtime.getRuntime().addShutdownHook(new Thread(server::close));
    return server;
  }

  private static String raw(OcellusServer server, String request) throws IOException {
    try (Socket socket = new Socket("127.0.0.1", server.port())) {
      socket.setSoTimeout(20_000);
      socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
      socket.getOutputStream().flush();
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
    } catch (SocketException e) {
      return "";
    }
  }

  /** DNS rebinding: a page of somebody else gives its own name the address of this machine. */
  @ParameterizedTest
  @ValueSource(
      strings = {"evil.example", "evil.example:80", "127.0.0.1.evil.example", "169.254.169.254"})
  void namesThatAreNotItsOwnAreRefused(String host) throws IOException {
    String answer =
        raw(
            STRICT,
            "GET /v1/models HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n".formatted(host));
    assertThat(answer).startsWith("HTTP/1.1 403");
  }

  @ParameterizedTest
  @ValueSource(strings = {"localhost", "127.0.0.1:8080", "[::1]:8080", "127.1.2.3", "my.localhost"})
  void namesOfThisMachineAreTaken(String host) throws IOException {
    String answer =
        raw(
            STRICT,
            "GET /v1/models HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n".formatted(host));
    assertThat(answer).startsWith("HTTP/1.1 200");
  }

  private static final Pattern STATUS = Pattern.compile("HTTP/1\\.1 (\\d\\d\\d)");

  private static List<String> statuses(String answer) {
    List<String> all = new ArrayList<>();
    Matcher matcher = STATUS.matcher(answer);
    while (matcher.find()) {
      all.add(matcher.group(1));
    }
    return all;
  }

  /** What two readers could understand differently is refused, and nothing after it is read. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "Content-Length: 4\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 4",
        "Content-Length: 4\r\nContent-Length: 5",
        "Content-Length: 4, 5",
        "Content-Length: +4",
        "Content-Length: -4",
        "Content-Length: 0x4",
        "Content-Length: 99999999999999999999",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding : chunked",
        "Transfer-Encoding: \u000bchunked",
        "Transfer-Encoding: gzip",
        "X: y\nTransfer-Encoding: chunked",
        "X: y\rTransfer-Encoding: chunked",
        " folded: header",
        "Content-Encoding: gzip\r\nContent-Length: 4"
      })
  void smugglingIsRefused(String headers) throws IOException {
    String hidden = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";
    String answer =
        raw(
            STRICT,
            "POST /tokenize HTTP/1.1\r\nHost: localhost\r\n%s\r\n\r\n0\r\n\r\n%s"
                .formatted(headers, hidden));
    assertThat(statuses(answer)).as(answer).doesNotContain("200");
  }

  @Test
  void oversizedHeadersAreRefused() throws IOException {
    OcellusServer server = STRICT;
    assertThat(statuses(raw(server, "GET /" + "a".repeat(100_000) + " HTTP/1.1\r\n\r\n")))
        .doesNotContain("200");
    assertThat(
            statuses(
                raw(
                    server,
                    "GET /health HTTP/1.1\r\nHost: localhost\r\nX: "
                        + "a".repeat(100_000)
                        + "\r\n\r\n")))
        .doesNotContain("200");
    assertThat(
            statuses(
                raw(
                    server,
                    "GET /health HTTP/1.1\r\nHost: localhost\r\n"
                        + "X: y\r\n".repeat(20_000)
                        + "\r\n")))
        .doesNotContain("200");
    assertThat(TestServer.get(server, "/health").statusCode()).isEqualTo(200);
  }

  @Test
  void oversizedBodiesAreRefused() throws IOException {
    var options = TestServer.options();
    Duration time = Duration.ofSeconds(2);
    try (OcellusServer server =
        TestServer.start(
            options
                .withListen(options.listen().withTimes(time, time, time))
                .withLimits(options.limits().withMaxBodyBytes(1000)))) {
      HttpResponse<String> answer = TestServer.post(server, CHAT, " ".repeat(5000));
      assertThat(answer.statusCode()).isEqualTo(413);
      String lying =
          "POST /v1/chat/completions HTTP/1.1\r\n"
              + "Host: localhost\r\n"
              + "Content-Length: 99999999999\r\n\r\n";
      assertThat(statuses(raw(server, lying))).containsExactly("413");
      String chunked =
          "POST /v1/chat/completions HTTP/1.1\r\n"
              + "Host: localhost\r\n"
              + "Transfer-Encoding: chunked\r\n\r\n"
              + "FFFFFFF\r\n";
      assertThat(statuses(raw(server, chunked))).containsExactly("413");
      assertThat(TestServer.post(server, CHAT, HI).statusCode()).isEqualTo(200);
    }
  }

  @Test
  void oversizedImagesAreRefused() {
    var options = TestServer.options();
    var limits = options.limits();
    try (OcellusServer server =
        TestServer.start(
            options.withLimits(
                limits.withMaxImages(1).withImage(limits.image().withMaxPixels(100))))) {
      assertThat(TestServer.post(server, CHAT, TestServer.question("")).body())
          .contains("at most 100 pixels");
    }
    try (OcellusServer server = TestServer.start(options.withLimits(limits.withMaxImages(0)))) {
      assertThat(TestServer.post(server, CHAT, TestServer.question("")).body())
          .contains("at most 0 images");
    }
  }

  private static OcellusServer impatient() {
    var options = TestServer.options();
    var short1 = Duration.ofMillis(300);
    return TestServer.start(options.withListen(options.listen().withTimes(short1, short1, short1)));
  }

  /** Reads until the server closes the connection. */
  private static void awaitEnd(Socket socket) throws IOException {
    socket.setSoTimeout(20_000); // a failure of the test, not a measure of the server
    try {
      while (socket.getInputStream().read() >= 0) {}
    } catch (SocketException e) { // reset is as good as closed
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "G",
        "GET / HTTP/1.1\r\nHost: localhost\r\n",
        "POST /tokenize HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{",
        "POST /tokenize HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"
      })
  void whoSendsTooSlowlyIsCutOff(String beginning) throws IOException {
    try (OcellusServer server = impatient();
        Socket socket = new Socket("127.0.0.1", server.port())) {
      socket.getOutputStream().write(beginning.getBytes(StandardCharsets.US_ASCII));
      awaitEnd(socket);
    }
  }

  /** A byte now and then would keep a timeout of single reads from ever striking. */
  @Test
  void whoSendsByteByByteIsCutOff() throws IOException {
    try (OcellusServer server = impatient();
        Socket socket = new Socket("127.0.0.1", server.port())) {
      Thread drip =
          Thread.ofVirtual()
              .start(() -> {
                try {
                  while (true) {
                    socket
                        .getOutputStream()
                        .write("X-A: b\r\n".getBytes(StandardCharsets.US_ASCII));
                    Thread.sleep(20);
                  }
                } catch (IOException | InterruptedException e) { // cut off, as it should be
                }
              });
      socket.getOutputStream().write("GET / HTTP/1.1\r\n".getBytes(StandardCharsets.US_ASCII));
      awaitEnd(socket);
      drip.interrupt();
    }
  }

  @Test
  void whoNeverReadsIsCutOff() throws Exception {
    try (OcellusServer server = impatient();
        Socket socket = new Socket()) {
      socket.setReceiveBufferSize(1024);
      socket.connect(new java.net.InetSocketAddress("127.0.0.1", server.port()));
      String models = "GET /page/app.js HTTP/1.1\r\nHost: localhost\r\n\r\n";
      Thread ask =
          Thread.ofVirtual()
              .start(() -> {
                try {
                  while (true) {
                    socket.getOutputStream().write(models.getBytes(StandardCharsets.US_ASCII));
                  }
                } catch (IOException e) { // cut off, as it should be
                }
              });
      ask.join(Duration.ofSeconds(60));
      assertThat(ask.isAlive()).isFalse();
      assertThat(TestServer.get(server, "/health").statusCode()).isEqualTo(200);
    }
  }

  @Test
  void theQueueIsBounded() throws Exception {
    var options = TestServer.options();
    try (OcellusServer server =
        TestServer.start(options.withHosting(options.hosting().withMaxQueued(1, 1)))) {
      String long1 =
          "{\"max_tokens\": 200, \"n\": 8, \"logit_bias\": {}, \"messages\":"
              + " [{\"role\": \"user\", \"content\": \"hi\"}]}";
      HttpResponse<String> answer = TestServer.post(server, CHAT, long1);
      assertThat(answer.statusCode()).as(answer.body()).isEqualTo(429);
      assertThat(answer.headers().firstValue("Retry-After")).isPresent();
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/page/../../../etc/passwd",
        "/page/..%2f..%2fetc%2fpasswd",
        "/page/%2e%2e/x",
        "/page/",
        "/page/app.js%00",
        "//etc/passwd",
        "/page/OcellusServer.class"
      })
  void noPathLeadsToAFile(String path) throws IOException {
    String answer =
        raw(
            STRICT,
            "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".formatted(path));
    assertThat(statuses(answer)).as(answer).doesNotContain("200").isNotEmpty();
  }

  @Test
  void thePageLoadsNothingFromElsewhere() {
    HttpRequest request =
        TestServer.request(TestServer.shared(), "/").header("Accept", "text/html").build();
    HttpResponse<String> page = TestServer.send(request);
    assertThat(page.headers().firstValue("Content-Security-Policy").orElseThrow())
        .startsWith("default-src 'none'; script-src 'self'; style-src 'self'")
        .doesNotContain("unsafe")
        .doesNotContain("http");
    assertThat(page.headers().firstValue("X-Content-Type-Options")).contains("nosniff");
    assertThat(page.body()).doesNotContain("//cdn", "https://", "style=", "onclick=");
  }
}
