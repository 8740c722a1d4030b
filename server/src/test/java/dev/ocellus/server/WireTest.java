package dev.ocellus.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Requests as bytes: bodies that are framed or encoded as no client of ours would. */
class WireTest {
  private static final String CHAT = "/v1/chat/completions";
  private static final ObjectMapper JSON = new ObjectMapper();

  private final OcellusServer server = TestServer.shared();

  @AfterEach
  void theServerKeepsServing() {
    assertThat(TestServer.get(server, "/health").statusCode()).isEqualTo(200);
  }

  private static String header(OcellusServer server, String more) {
    return "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\n%s\r\n"
        .formatted(CHAT, server.port(), more);
  }

  private static void write(Socket socket, String text) throws IOException {
    socket.getOutputStream().write(text.getBytes(StandardCharsets.UTF_8));
  }

  /** Up to the end of the header. */
  private static String readHeader(InputStream in) throws IOException {
    var header = new ByteArrayOutputStream();
    String text = "";
    while (!text.endsWith("\r\n\r\n")) {
      int b = in.read();
      if (b < 0) {
        return text;
      }
      header.write(b);
      text = header.toString(StandardCharsets.ISO_8859_1);
    }
    return text;
  }

  private static String readAll(Socket socket) throws IOException {
    try {
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) { // a connection that is cut has no more to say
      return "";
    }
  }

  private static OcellusServer impatient() {
    var options = TestServer.options();
    Duration header = Duration.ofSeconds(2);
    var listen = options.listen().withTimes(header, Duration.ofMillis(300), Duration.ofMinutes(1));
    return TestServer.start(options.withListen(listen));
  }

  /** What is not HTTP/1.1 is told so: proxies may speak HTTP/1.0 where nobody says otherwise. */
  @ParameterizedTest
  @CsvSource({
    "GET /health HTTP/1.0, 505",
    "POST /v1/chat/completions HTTP/1.0, 505",
    "PRI * HTTP/2.0, 400",
    "GET /health, 400",
    "hello, 400",
  })
  void otherProtocolsAreRefusedInWords(String line, int status) throws IOException {
    try (Socket socket = new Socket("127.0.0.1", server.port())) {
      write(socket, line + "\r\nHost: localhost\r\n\r\n");
      assertThat(readAll(socket)).startsWith("HTTP/1.1 " + status);
    }
  }

  /** A client that wants no more of the connection gets the end of a stream, and then its close. */
  @ParameterizedTest
  @ValueSource(strings = {"close", "Close", "keep-alive, close"})
  void streamsEndWhereTheConnectionIsClosed(String connection) throws IOException {
    String body =
        "{\"stream\": true, \"max_tokens\": 2, \"messages\": [{\"role\": \"user\", \"content\": \"hi\"}]}";
    try (Socket socket = new Socket("127.0.0.1", server.port())) {
      String more = "Connection: %s\r\nContent-Length: %d\r\n".formatted(connection, body.length());
      write(socket, header(server, more) + body);
      assertThat(readAll(socket))
          .startsWith("HTTP/1.1 200")
          .containsIgnoringCase("Connection: close")
          .endsWith("data: [DONE]\n\n\r\n0\r\n\r\n");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "5\r\n{\"a\":", "5\r\n{\"a\":\r\n", "5\r\n{\"a\":\r\n0\r\n"})
  void chunksWithoutAnEndAreNotWaitedForForEver(String beginning) throws IOException {
    try (OcellusServer own = impatient();
        Socket socket = new Socket("127.0.0.1", own.port())) {
      write(socket, header(own, "Transfer-Encoding: chunked\r\n") + beginning);
      assertThat(readAll(socket)).doesNotStartWith("HTTP/1.1 2");
      assertThat(TestServer.get(own, "/health").statusCode()).isEqualTo(200);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "zz\r\n{}\r\n0\r\n\r\n",
        "-1\r\n{}\r\n0\r\n\r\n",
        "7fffffffffffffff\r\n{}\r\n0\r\n\r\n",
        "ffffffffffffffffffffffff\r\n{}\r\n0\r\n\r\n",
        "2\r\n{}XX0\r\n\r\n",
        "2;{}\r\n"
      })
  void chunksOfNoLengthAreRefused(String body) throws IOException {
    try (OcellusServer own = impatient();
        Socket socket = new Socket("127.0.0.1", own.port())) {
      write(socket, header(own, "Transfer-Encoding: chunked\r\n") + body);
      assertThat(readAll(socket)).doesNotStartWith("HTTP/1.1 2");
      assertThat(TestServer.get(own, "/health").statusCode()).isEqualTo(200);
    }
  }

  @Test
  void chunksAreReadAsOneBody() throws IOException {
    String body = TestServer.question("");
    try (Socket socket = new Socket("127.0.0.1", server.port())) {
      write(socket, header(server, "Transfer-Encoding: chunked\r\nConnection: close\r\n"));
      for (int at = 0; at < body.length(); at += 1000) {
        String piece = body.substring(at, Math.min(at + 1000, body.length()));
        write(socket, Integer.toHexString(piece.length()) + "\r\n" + piece + "\r\n");
      }
      write(socket, "0\r\n\r\n");
      assertThat(readAll(socket)).contains("There is a large red circle in the center.");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "99999999999999999999",
        "9223372036854775807",
        "2147483648",
        "-1",
        "1e3",
        "0x10",
        "ten",
        ""
      })
  void absurdLengthsAreRefusedAtOnce(String length) throws IOException {
    try (Socket socket = new Socket("127.0.0.1", server.port())) {
      write(socket, header(server, "Content-Length: " + length + "\r\n") + "{}");
      assertThat(readAll(socket)).startsWith("HTTP/1.1 4");
    }
  }

  @Test
  void whoAsksFirstIsToldToGoOn() throws IOException {
    byte[] body = TestServer.question("").getBytes(StandardCharsets.UTF_8);
    try (Socket socket = new Socket("127.0.0.1", server.port())) {
      String more =
          "Expect: 100-continue\r\nConnection: close\r\nContent-Length: %d\r\n"
              .formatted(body.length);
      write(socket, header(server, more));
      assertThat(readHeader(socket.getInputStream())).startsWith("HTTP/1.1 100");
      socket.getOutputStream().write(body);
      assertThat(readAll(socket)).contains("There is a large red circle in the center.");
    }
  }

  @Test
  void whoAsksFirstIsToldWhatWouldBeRefused() throws IOException {
    try (Socket socket = new Socket("127.0.0.1", server.port())) {
      write(socket, header(server, "Expect: 100-continue\r\nContent-Length: 1000000000\r\n"));
      assertThat(readHeader(socket.getInputStream())).startsWith("HTTP/1.1 413");
    }
    var options = TestServer.options();
    var access = options.access().withApiKeys(java.util.List.of("key"));
    try (OcellusServer own = TestServer.start(options.withAccess(access));
        Socket socket = new Socket("127.0.0.1", own.port())) {
      write(socket, header(own, "Expect: 100-continue\r\nContent-Length: 10\r\n"));
      assertThat(readHeader(socket.getInputStream())).startsWith("HTTP/1.1 401");
    }
  }

  private HttpResponse<String> post(byte[] body) {
    return TestServer.send(
        TestServer.request(server, CHAT)
            .POST(HttpRequest.BodyPublishers.ofByteArray(body))
            .build());
  }

  private static String saying(String text) {
    return "{\"max_tokens\": 2, \"messages\": [{\"role\": \"user\", \"content\": \""
        + text
        + "\"}]}";
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"ff", "c0 80", "ed a0 80", "f8 88 80 80 80", "e2 82", "80", "f4 90 80 80"})
  void textThatIsNoUtf8IsRefused(String hex) throws IOException {
    var body = new ByteArrayOutputStream();
    body.writeBytes(
        "{\"messages\": [{\"role\": \"user\", \"content\": \"a".getBytes(StandardCharsets.UTF_8));
    for (String b : hex.split(" ")) {
      body.write(Integer.parseInt(b, 16));
    }
    body.writeBytes("\"}]}".getBytes(StandardCharsets.UTF_8));
    HttpResponse<String> answer = post(body.toByteArray());
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(400);
    assertThat(JSON.readTree(answer.body()).at("/error/message").asText()).contains("valid");
  }

  @ParameterizedTest
  @ValueSource(strings = {"UTF-16", "UTF-16LE", "UTF-16BE", "UTF-32LE", "UTF-8"})
  void textOfOtherEncodingsIsReadAsJsonSays(String charset) {
    HttpResponse<String> answer = post(saying("hä 🙂").getBytes(Charset.forName(charset)));
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
  }

  /** Half of a pair is no character, and there are no bytes for it. */
  @ParameterizedTest
  @ValueSource(
      strings = {"\\ud800", "\\udc00", "\\ud83d x", "\\udc00\\ud800", "\\uD83D\\uD83D\\uDE42"})
  void halvesOfPairsHurtNobody(String escaped) throws IOException {
    for (String body :
        new String[] {
          saying(escaped),
          "{\"model\": \"" + escaped + "\", " + saying("a").substring(1),
          "{\"stop\": \"" + escaped + "\", " + saying("a").substring(1),
          "{\"" + escaped + "\": 1, " + saying("a").substring(1)
        }) {
      HttpResponse<String> answer = post(body.getBytes(StandardCharsets.UTF_8));
      assertThat(answer.statusCode()).as(body + " " + answer.body()).isIn(200, 400, 404);
      assertThat(JSON.readTree(answer.body()).isObject()).isTrue();
    }
  }
}
