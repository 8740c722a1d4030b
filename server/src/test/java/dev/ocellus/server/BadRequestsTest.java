package dev.ocellus.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Base64;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever comes in, the answer is the API's own error, and the server keeps serving. */
class BadRequestsTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String CHAT = "/v1/chat/completions";

  private final OcellusServer server = TestServer.shared();

  private static Arguments bad(String path, String body, int status, String word) {
    return Arguments.of(path, body, status, word);
  }

  private static String chat(String more) {
    return "{\"messages\": [{\"role\": \"user\", \"content\": \"hi\"}], " + more + "}";
  }

  private static String ollama(String more) {
    return "{\"model\": \"%s\", \"stream\": false, \"messages\": [{\"role\": \"user\", \"content\": \"hi\", %s}], %s}"
        .formatted(TestServer.CHAT, more, more); // where it belongs, and where nobody reads it
  }

  private static String image(String url) {
    return "{\"messages\": [{\"role\": \"user\", \"content\": [{\"type\": \"image_url\","
        + " \"image_url\": {\"url\": \""
        + url
        + "\"}}]}]}";
  }

  private static String data(String text) {
    return "data:image/png;base64," + Base64.getEncoder().encodeToString(text.getBytes());
  }

  static Stream<Arguments> badRequests() {
    String many = "{\"role\": \"user\", \"content\": \"hi\"},".repeat(10_000);
    return Stream.of(
        bad(CHAT, "", 400, "JSON"),
        bad(CHAT, "{", 400, "not valid JSON"),
        bad(CHAT, "[]", 400, "object"),
        bad(CHAT, "null", 400, "object"),
        bad(CHAT, "{} {}", 400, "not valid JSON"),
        bad(CHAT, "\u0000", 400, "not valid JSON"),
        bad(CHAT, "[".repeat(100_000), 400, "not valid JSON"),
        bad(CHAT, "{\"a\":".repeat(5000), 400, "not valid JSON"),
        bad(CHAT, "{}", 400, "messages"),
        bad(CHAT, "{\"messages\": 1}", 400, "messages"),
        bad(CHAT, "{\"messages\": []}", 400, "messages"),
        bad(CHAT, "{\"messages\": [1]}", 400, "messages[0]"),
        bad(CHAT, "{\"messages\": [{\"role\": \"pope\", \"content\": \"hi\"}]}", 400, "pope"),
        bad(CHAT, "{\"messages\": [{\"role\": \"user\"}]}", 400, "content"),
        bad(CHAT, "{\"messages\": [{\"role\": \"user\", \"content\": 7}]}", 400, "content"),
        bad(CHAT, "{\"messages\": [" + many + "{}]}", 400, "at most 4096"),
        bad(CHAT, "{\"messages\": [], \"messages\": []}", 400, "Duplicate"),
        bad(CHAT, chat("\"model\": \"none\""), 404, "none"),
        bad(CHAT, chat("\"model\": 7"), 400, "model"),
        bad(CHAT, chat("\"model\": \"" + TestServer.EMBEDDING + "\""), 400, "does not chat"),
        bad(CHAT, chat("\"temperature\": NaN"), 400, "temperature"),
        bad(CHAT, chat("\"temperature\": Infinity"), 400, "temperature"),
        bad(CHAT, chat("\"temperature\": 1e999"), 400, "temperature"),
        bad(CHAT, chat("\"temperature\": \"hot\""), 400, "temperature"),
        bad(CHAT, chat("\"temperature\": -1"), 400, "temperature"),
        bad(CHAT, chat("\"top_p\": 2"), 400, "top_p"),
        bad(CHAT, chat("\"top_k\": 1.5"), 400, "top_k"),
        bad(CHAT, chat("\"n\": 0"), 400, "n:"),
        bad(CHAT, chat("\"n\": 1000000"), 400, "n:"),
        bad(CHAT, chat("\"max_tokens\": -2"), 400, "max_tokens"),
        bad(CHAT, chat("\"max_tokens\": 1e30"), 400, "max_tokens"),
        bad(CHAT, chat("\"seed\": 99999999999999999999"), 400, "seed"),
        bad(CHAT, chat("\"stop\": {}"), 400, "stop"),
        bad(CHAT, chat("\"stop\": \"\""), 400, "stop"),
        bad(CHAT, chat("\"stop\": [1]"), 400, "stop"),
        bad(CHAT, chat("\"stream\": \"yes\""), 400, "stream"),
        bad(CHAT, chat("\"logit_bias\": [[1]]"), 400, "logit_bias"),
        bad(CHAT, chat("\"logit_bias\": [[1, true]]"), 400, "logit_bias"),
        bad(CHAT, chat("\"logit_bias\": [[-1, 1]]"), 400, "logit_bias"),
        bad(CHAT, chat("\"logit_bias\": 7"), 400, "logit_bias"),
        bad(CHAT, chat("\"samplers\": [\"x\"]"), 400, "sampler"),
        bad(CHAT, chat("\"json_schema\": 7"), 400, "json_schema"),
        bad(CHAT, chat("\"ignore_eos\": true, \"json_schema\": {}"), 400, "grammar"),
        bad(CHAT, chat("\"chat_template_kwargs\": []"), 400, "chat_template_kwargs"),
        bad(CHAT, chat("\"stream_options\": true"), 400, "stream_options"),
        bad(CHAT, chat("\"logit_bias\": {\"x\": 1}"), 400, "logit_bias"),
        bad(CHAT, chat("\"logit_bias\": {\"999999999\": 1}"), 400, "logit_bias"),
        bad(CHAT, chat("\"logit_bias\": {\"1\": 1000}"), 400, "logit_bias"),
        bad(CHAT, chat("\"top_logprobs\": 21, \"logprobs\": true"), 400, "top_logprobs"),
        bad(CHAT, chat("\"top_logprobs\": 2"), 400, "logprobs"),
        bad(CHAT, chat("\"tools\": {}"), 400, "tools"),
        bad(
            CHAT,
            chat(
                "\"max_tokens\": 5, \"response_format\": {\"type\": \"json_schema\", \"json_schema\": {\"name\": \"a\", \"schema\": {\"type\": \"array\", \"items\": {\"type\": \"string\"}, \"minItems\": 100000000}}}"),
            400,
            "grammar"),
        bad(CHAT, chat("\"tools\": [{}]"), 400, "tools[0]"),
        bad(CHAT, chat("\"tool_choice\": {}"), 400, "tool_choice"),
        bad(CHAT, chat("\"response_format\": {\"type\": \"xml\"}"), 400, "xml"),
        bad(CHAT, chat("\"response_format\": {\"type\": \"json_schema\"}"), 400, "schema"),
        bad(
            CHAT,
            chat("\"response_format\": {\"type\": \"json_object\", \"schema\": {\"type\": 1}}"),
            400,
            ""),
        bad(CHAT, chat("\"grammar\": \"root ::= \\\"\""), 400, ""),
        bad(CHAT, image("file:///etc/passwd"), 400, "no files are read"),
        bad(CHAT, image("/etc/passwd"), 400, "no files are read"),
        bad(CHAT, image("../../etc/passwd"), 400, "no files are read"),
        bad(CHAT, image("http://127.0.0.1/x.png"), 400, "fetches no images"),
        bad(CHAT, image("data:image/png,x"), 400, "base64"),
        bad(CHAT, image("data:image/png;base64,%%%"), 400, ""),
        bad(CHAT, image("data:image/png;base64,iVBOR*w0KGgo="), 400, "base64"),
        bad(CHAT, image("data:image/png;base64,iVBORw0KGgo=="), 400, "base64"),
        bad(CHAT, image("data:image/png;base64,iVBO=Rw0KGgo"), 400, "base64"),
        bad(CHAT, image("data:"), 400, "data:"),
        bad(CHAT, image("data:;base64,"), 400, ""),
        bad(CHAT, image("data:text/plain;base64,aGVsbG8gd29ybGQ="), 400, "image"),
        bad(CHAT, image("data:image/svg+xml;base64,PHN2Zy8+"), 400, "image"),
        bad(CHAT, image("data:application/pdf;base64,JVBERi0xLjcK"), 400, "image"),
        bad(CHAT, image("data:image/png;charset=utf-8,abc"), 400, "base64"),
        bad(CHAT, image("DATA:image/png;base64"), 400, "base64"),
        bad(CHAT, image("ftp://example.org/a.png"), 400, "no files are read"),
        bad(CHAT, image("javascript:alert(1)"), 400, "no files are read"),
        bad(CHAT, image("blob:http://localhost/1"), 400, "no files are read"),
        bad(CHAT, image(data("no image")), 400, "image"),
        bad(CHAT, image(data("\u0089PNG\r\n\u001a\n")), 400, "image"),
        bad(
            CHAT,
            "{\"messages\": [{\"role\": \"user\", \"content\": \""
                + "word ".repeat(20_000)
                + "\"}]}",
            400,
            "context"),
        bad("/v1/completions", "{}", 400, "prompt"),
        bad("/v1/completions", "{\"prompt\": [1, 2]}", 400, "prompt"),
        bad("/v1/completions", "{\"prompt\": \"\"}", 400, "prompt"),
        bad("/v1/completions", "{\"prompt\": \"a\", \"suffix\": \"b\"}", 400, "suffix"),
        bad("/v1/embeddings", "{}", 400, "input"),
        bad("/v1/embeddings", "{\"input\": [[1]]}", 400, "input"),
        bad("/v1/embeddings", "{\"input\": []}", 400, "input"),
        bad("/v1/embeddings", "{\"input\": \"a\", \"dimensions\": 3}", 400, "dimensions"),
        bad("/v1/embeddings", "{\"input\": \"a\", \"encoding_format\": \"x\"}", 400, "base64"),
        bad("/v1/embeddings", "{\"input\": {\"image\": \"/etc/passwd\"}}", 400, "no files"),
        bad("/v1/responses", "{}", 400, "input"),
        bad("/v1/responses/input_tokens", "{}", 400, "input"),
        bad(CHAT + "/input_tokens", "{}", 400, "messages"),
        bad(
            "/v1/responses",
            "{\"input\": \"a\", \"previous_response_id\": \"r\"}",
            400,
            "remembers"),
        bad("/v1/responses", "{\"input\": [{\"type\": \"x\"}]}", 400, "x"),
        bad("/v1/messages", "{}", 400, "max_tokens"),
        bad("/v1/messages", "{\"max_tokens\": 5}", 400, "messages"),
        bad(
            "/v1/messages",
            "{\"max_tokens\": 5, \"messages\": [{\"role\": \"user\", \"content\": [{\"type\":"
                + " \"x\"}]}]}",
            400,
            "x"),
        bad("/api/chat", "{}", 400, "model"),
        bad("/api/chat", "{\"model\": \"none\", \"messages\": []}", 404, "none"),
        bad("/api/generate", "{\"model\": 1}", 400, "model"),
        bad("/api/chat", ollama("\"keep_alive\": \"5 minutes\""), 400, "keep_alive"),
        bad("/api/chat", ollama("\"keep_alive\": \"300\""), 400, "keep_alive"),
        bad("/api/chat", ollama("\"keep_alive\": NaN"), 400, "keep_alive"),
        bad("/api/chat", ollama("\"keep_alive\": []"), 400, "keep_alive"),
        bad("/api/chat", ollama("\"images\": 1"), 400, "images"),
        bad("/api/show", "{\"model\": \"../../etc/passwd\"}", 404, "passwd"),
        bad("/tokenize", "{\"content\": 1}", 400, "content"),
        bad("/detokenize", "{\"tokens\": [99999999]}", 400, "tokens"),
        bad("/detokenize", "{\"tokens\": [\"a\"]}", 400, "tokens"),
        bad("/apply-template", "{}", 400, "messages"),
        bad("/none", "{}", 404, "nothing"));
  }

  @ParameterizedTest
  @MethodSource("badRequests")
  void areAnsweredInTheFormOfTheirApi(String path, String body, int status, String word)
      throws Exception {
    HttpResponse<String> answer = TestServer.post(server, path, body);
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
    JsonNode json = JSON.readTree(answer.body());
    String message =
        path.startsWith("/api/") ? json.get("error").asText() : json.at("/error/message").asText();
    assertThat(message).isNotBlank().contains(word).hasSizeLessThan(1000);
    assertThat(message).doesNotContain("Exception", "java.", "dev.ocellus");
    if (path.startsWith("/v1/messages")) {
      assertThat(json.get("type").asText()).isEqualTo("error");
    }
  }

  private static final String[] NO_NUMBERS = {
    "NaN", "Infinity", "-Infinity", "1e999", "-1e999", "\"1\"", "\"\"", "true", "[1]", "{}"
  };

  private static String filled(String json, String key, String value) {
    return json.replace("KEY", key).replace("VALUE", value);
  }

  static Stream<Arguments> numbers() {
    String chat = chat("\"KEY\": VALUE");
    String messages =
        "{\"KEY\": VALUE, \"max_tokens\": 5, \"messages\": [{\"role\": \"user\", \"content\": \"a\"}]}";
    String ollama =
        "{\"model\": \"%s\", \"stream\": false, \"options\": {\"KEY\": VALUE}, \"messages\": [{\"role\": \"user\", \"content\": \"a\"}]}"
            .formatted(TestServer.CHAT);
    String text = "{\"prompt\": \"a\", \"KEY\": VALUE}";
    String response = "{\"input\": \"a\", \"KEY\": VALUE}";
    return Stream.of(
            Arguments.of(
                CHAT,
                chat,
                "temperature top_p top_k min_p typical_p top_n_sigma seed n max_tokens"
                    + " max_completion_tokens frequency_penalty presence_penalty repeat_penalty"
                    + " repeat_last_n top_logprobs mirostat mirostat_tau mirostat_eta"
                    + " dynatemp_range dynatemp_exponent xtc_probability xtc_threshold"
                    + " dry_multiplier dry_base dry_allowed_length dry_penalty_last_n min_keep"
                    + " adaptive_target adaptive_decay"),
            Arguments.of("/v1/messages", messages, "temperature top_p top_k"),
            Arguments.of("/api/chat", ollama, "temperature top_p top_k num_predict seed"),
            Arguments.of("/v1/completions", text, "temperature max_tokens logprobs n seed"),
            Arguments.of("/v1/responses", response, "temperature top_p max_output_tokens"),
            Arguments.of("/v1/embeddings", response, "dimensions"))
        .flatMap(each ->
            Stream.of(((String) each.get()[2]).split(" "))
                .map(key -> Arguments.of(each.get()[0], each.get()[1], key)));
  }

  @ParameterizedTest(name = "{0} {2}")
  @MethodSource("numbers")
  void whatIsNoNumberIsRefusedByName(String path, String json, String key) throws Exception {
    for (String value : NO_NUMBERS) {
      HttpResponse<String> answer = TestServer.post(server, path, filled(json, key, value));
      assertThat(answer.statusCode()).as(value + " " + answer.body()).isEqualTo(400);
      assertThat(answer.body()).contains(key).doesNotContain("Exception");
    }
  }

  @AfterEach
  void theServerKeepsServing() {
    assertThat(TestServer.get(server, "/health").statusCode()).isEqualTo(200);
  }

  @Test
  void whatIsNotKnownIsIgnored() {
    HttpResponse<String> answer =
        TestServer.post(
            server,
            CHAT,
            chat(
                "\"max_tokens\": 2, \"user\": \"u\", \"store\": true, \"x\": {\"y\": [1]},"
                    + " \"temperature\": null, \"tools\": null"));
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
  }

  @Test
  void aMethodThatIsNotForAPathIsRefused() {
    assertThat(TestServer.get(server, CHAT).statusCode()).isEqualTo(405);
    HttpRequest delete = TestServer.request(server, "/v1/models").DELETE().build();
    assertThat(TestServer.send(delete).statusCode()).isEqualTo(405);
  }

  @Test
  void anErrorInTheMiddleOfOthersLeavesThemAlone() throws Exception {
    try (var threads = java.util.concurrent.Executors.newVirtualThreadPerTaskExecutor()) {
      var good =
          java.util.stream.IntStream.range(0, 6)
              .mapToObj(
                  i -> threads.submit(() -> TestServer.post(server, CHAT, TestServer.question(""))))
              .toList();
      for (int i = 0; i < 20; i++) {
        TestServer.post(server, CHAT, i % 2 == 0 ? "{" : image(data("no image " + i)));
      }
      for (var answer : good) {
        assertThat(answer.get().body()).contains("There is a large red circle in the center.");
      }
    }
  }
}
