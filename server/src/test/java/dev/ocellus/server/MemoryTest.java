package dev.ocellus.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.awt.image.BufferedImage;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A server whose heap is too small for what is asked of it. */
class MemoryTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private Process process;
  private URI url;

  @BeforeEach
  void start() throws IOException {
    process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx160m",
                "-XX:+UseSerialGC",
                "-Djava.awt.headless=true",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty(
                    "surefire.test.class.path", System.getProperty("java.class.path", "")),
                SmallHeap.class.getName())
            .directory(new File("").getAbsoluteFile())
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    var out =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    String line = out.readLine();
    assertThat(line).startsWith("port ");
    url = URI.create("http://127.0.0.1:" + line.substring(5) + "/v1/chat/completions");
  }

  @AfterEach
  void stop() throws Exception {
    process.getOutputStream().close();
    process.waitFor();
  }

  private HttpResponse<String> post(HttpClient client, String body) throws Exception {
    return client.send(
        HttpRequest.newBuilder(url)
            .timeout(Duration.ofMinutes(2))
            .POST(HttpRequest.BodyPublishers.ofString(body))
            .build(),
        HttpResponse.BodyHandlers.ofString());
  }

  /** Black, and three bytes for each of its pixels when it is decoded. */
  private static String black(int width, int height) throws IOException {
    var image = new BufferedImage(width, height, BufferedImage.TYPE_BYTE_BINARY);
    var file = new ByteArrayOutputStream();
    ImageIO.write(image, "png", file);
    return "data:image/png;base64," + Base64.getEncoder().encodeToString(file.toByteArray());
  }

  @Test
  void whatDoesNotFitIsAnErrorOfItsRequestOnly() throws Exception {
    String large = TestServer.question("").replace(TestServer.circleUrl(), black(8000, 4800));
    try (HttpClient client = HttpClient.newHttpClient();
        var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<HttpResponse<String>>> all = new ArrayList<>();
      for (int i = 0; i < 12; i++) {
        String body = i % 4 == 3 ? TestServer.question("") : large;
        all.add(threads.submit(() -> post(client, body)));
      }
      int refused = 0;
      for (Future<HttpResponse<String>> one : all) {
        HttpResponse<String> answer = one.get();
        JsonNode json = JSON.readTree(answer.body());
        assertThat(answer.statusCode()).as(answer.body()).isIn(200, 503);
        assertThat(json.has(answer.statusCode() == 200 ? "choices" : "error")).isTrue();
        refused += answer.statusCode() == 503 ? 1 : 0;
      }
      assertThat(refused).isPositive();
      for (int i = 0; i < 6; i++) { // more than there are threads that answer
        assertThat(post(client, TestServer.question("")).body())
            .contains("There is a large red circle in the center.");
      }
    }
  }
}
