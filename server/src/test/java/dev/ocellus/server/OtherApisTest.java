package dev.ocellus.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.ocellus.server.options.HostingOptions;
import dev.ocellus.server.options.ModelSource;
import dev.ocellus.server.options.ServerOptions;
import dev.ocellus.vlm.DemoModel;
import java.io.IOException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What the clients of other tests do not ask for. */
class OtherApisTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final OcellusServer server = TestServer.shared();

  private JsonNode post(String path, String body) throws Exception {
    HttpResponse<String> answer = TestServer.post(server, path, body);
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
    return JSON.readTree(answer.body());
  }

  private JsonNode get(String path) throws Exception {
    return JSON.readTree(TestServer.get(server, path).body());
  }

  @Test
  void ollamaTellsWhatThereIs() throws Exception {
    assertThat(get("/api/version").get("version").asText()).matches("\\d+\\.\\d+\\.\\d+");
    JsonNode model = get("/api/tags").at("/models/0");
    assertThat(model.get("name").asText()).isEqualTo(TestServer.CHAT);
    assertThat(model.get("size").asLong()).isGreaterThan(1_000_000);
    assertThat(model.at("/details/family").asText()).isEqualTo("llama");
    JsonNode shown = post("/api/show", "{\"model\": \"" + TestServer.CHAT + ":latest\"}");
    assertThat(shown.get("capabilities").toString()).contains("completion", "vision");
    assertThat(shown.at("/model_info/general.architecture").asText()).isEqualTo("llama");
    assertThat(shown.get("projector_info").size()).isPositive();
    post("/api/generate", "{\"model\": \"" + TestServer.CHAT + "\"}");
    assertThat(get("/api/ps").toString()).contains(TestServer.CHAT);
  }

  @Test
  void ollamaGenerates() throws Exception {
    String question =
        "{\"model\": \"%s\", \"prompt\": \"What is this?\", \"images\": [\"%s\"], \"stream\": false, \"options\": {\"temperature\": 0}}"
            .formatted(TestServer.CHAT, TestServer.circleBase64());
    JsonNode answer = post("/api/generate", question);
    assertThat(answer.get("response").asText())
        .isEqualTo("There is a large red circle in the center.");
    assertThat(answer.get("done_reason").asText()).isEqualTo("stop");
    assertThat(answer.get("eval_count").asInt()).isEqualTo(10);
    assertThat(answer.get("total_duration").asLong()).isPositive();
  }

  @Test
  void ollamaStreamsLines() throws Exception {
    HttpResponse<String> answer =
        TestServer.post(
            server,
            "/api/chat",
            "{\"model\": \"%s\", \"messages\": [{\"role\": \"user\", \"content\": \"What is this?\", \"images\": [\"%s\"]}], \"options\": {\"temperature\": 0}}"
                .formatted(TestServer.CHAT, TestServer.circleBase64()));
    assertThat(answer.headers().firstValue("Content-Type")).contains("application/x-ndjson");
    List<String> lines = answer.body().lines().toList();
    var text = new StringBuilder();
    for (String line : lines) {
      text.append(JSON.readTree(line).at("/message/content").asText());
    }
    assertThat(text.toString()).isEqualTo("There is a large red circle in the center.");
    assertThat(JSON.readTree(lines.getLast()).get("done").asBoolean()).isTrue();
  }

  @Test
  void ollamaKeepsToAFormatAndCallsTools() throws Exception {
    JsonNode answer =
        post(
            "/api/chat",
            """
            {"model": "%s", "stream": false, "messages": [{"role": "user", "content": "hi"}],
             "format": {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"], "additionalProperties": false}}\
            """
                .formatted(TestServer.CHAT));
    assertThat(JSON.readTree(answer.at("/message/content").asText()).get("ok").isBoolean())
        .isTrue();
  }

  @Test
  void ollamaEmbedsImages() throws Exception {
    JsonNode both =
        post(
            "/api/embed",
            "{\"model\": \"%s\", \"images\": [\"%s\"], \"input\": [\"a red circle\"]}"
                .formatted(TestServer.EMBEDDING, TestServer.circleBase64()));
    assertThat(both.get("embeddings").size()).isEqualTo(2);
    JsonNode one =
        post(
            "/api/embeddings",
            "{\"model\": \"%s\", \"prompt\": \"a red circle\"}".formatted(TestServer.EMBEDDING));
    assertThat(one.get("embedding")).isEqualTo(both.at("/embeddings/1"));
  }

  @Test
  void ollamaUnloads() throws Exception {
    var options = TestServer.options().withHosting(HostingOptions.defaults());
    try (OcellusServer own = TestServer.start(options)) {
      TestServer.post(own, "/api/generate", "{\"model\": \"" + TestServer.CHAT + "\"}");
      assertThat(TestServer.get(own, "/api/ps").body()).contains(TestServer.CHAT);
      HttpResponse<String> gone =
          TestServer.post(
              own, "/api/generate", "{\"model\": \"" + TestServer.CHAT + "\", \"keep_alive\": 0}");
      assertThat(gone.body()).contains("unload");
      assertThat(TestServer.get(own, "/api/ps").body()).doesNotContain(TestServer.CHAT);
    }
  }

  @Test
  void ollamaTellsLogProbs() throws Exception {
    String asked =
        "{\"model\": \"%s\", \"stream\": %s, \"prompt\": \"What is this?\", \"images\": [\"%s\"], \"logprobs\": true, \"top_logprobs\": 2, \"options\": {\"temperature\": 0}}";
    JsonNode whole =
        post("/api/generate", asked.formatted(TestServer.CHAT, false, TestServer.circleBase64()));
    assertThat(whole.get("logprobs").size()).isEqualTo(whole.get("eval_count").asInt());
    assertThat(whole.at("/logprobs/0/logprob").asDouble()).isNegative();
    assertThat(whole.at("/logprobs/0/top_logprobs").size()).isEqualTo(2);
    int n = 0;
    String lines =
        TestServer.post(
                server,
                "/api/generate",
                asked.formatted(TestServer.CHAT, true, TestServer.circleBase64()))
            .body();
    for (String line : lines.split("\n")) {
      n += JSON.readTree(line).path("logprobs").size();
    }
    assertThat(n).isEqualTo(whole.get("logprobs").size());
  }

  @Test
  void modelsAreListedForClientsOfAnthropic() throws Exception {
    JsonNode list = JSON.readTree(TestServer.get(server, "/v1/models").body());
    assertThat(list.get("has_more").asBoolean(true)).isFalse();
    assertThat(list.get("first_id").asText()).isEqualTo(TestServer.CHAT);
    assertThat(list.at("/data/0/display_name").asText()).isEqualTo(TestServer.CHAT);
    assertThat(list.at("/data/0/created_at").asText()).endsWith("Z");
  }

  @Test
  void modelsAreLoadedAndUnloadedAndTellTheirSlots() throws Exception {
    String model = "{\"model\": \"%s\"}".formatted(TestServer.CHAT);
    try (OcellusServer own = TestServer.start(TestServer.options())) {
      String image =
          "{\"max_tokens\": 5, \"messages\": [{\"role\": \"user\", \"content\": [{\"type\": \"image_url\", \"image_url\": {\"url\": \"data:image/png;base64,AAAA\"}}]}]}";
      assertThat(TestServer.post(own, "/v1/chat/completions", image).statusCode()).isEqualTo(400);
      assertThat(TestServer.get(own, "/slots").body()).isEqualTo("[]"); // it loaded nothing
      assertThat(TestServer.get(own, "/slots?fail_on_no_slot=1").statusCode()).isEqualTo(503);
      assertThat(TestServer.post(own, "/models/load", model).body())
          .isEqualTo("{\"success\":true}");
      JsonNode slots = JSON.readTree(TestServer.get(own, "/slots?model=" + TestServer.CHAT).body());
      assertThat(slots.size()).isEqualTo(4);
      assertThat(slots.at("/3/is_processing").asBoolean(true)).isFalse();
      assertThat(slots.at("/0/n_ctx").asInt()).isPositive();
      TestServer.post(own, "/v1/chat/completions", TestServer.question(""));
      TestServer.post(own, "/v1/chat/completions", TestServer.question(""));
      slots = JSON.readTree(TestServer.get(own, "/slots?model=" + TestServer.CHAT).body());
      assertThat(slots.size()).isEqualTo(4);
      assertThat(slots.findValuesAsText("n_prompt_tokens_processed")).contains("1");
      assertThat(slots.findValuesAsText("n_prompt_tokens_cache")).contains("83");
      assertThat(slots.findValuesAsText("is_processing")).containsOnly("false");
      assertThat(TestServer.post(own, "/models/unload", model).statusCode()).isEqualTo(200);
      assertThat(TestServer.post(own, "/models/unload", model).statusCode()).isEqualTo(400);
    }
  }

  @Test
  void tokensAreCountedWithoutAnAnswer() throws Exception {
    JsonNode chat = post("/v1/chat/completions/input_tokens", TestServer.question(""));
    assertThat(chat.get("input_tokens").asInt()).isEqualTo(84);
    JsonNode response = post("/v1/responses/input_tokens", "{\"input\": \"What is this?\"}");
    assertThat(response.get("input_tokens").asInt()).isBetween(10, 83);
  }

  /** The JSON that was asked for is the answer, behind whatever the model thinks. */
  @Test
  void aSchemaBindsWhatFollowsReasoning() throws Exception {
    String schema =
        "{\"type\": \"object\", \"properties\": {\"ok\": {\"type\": \"boolean\"}}, \"required\": [\"ok\"], \"additionalProperties\": false}";
    String body =
        "{\"max_tokens\": 60, \"messages\": [{\"role\": \"user\", \"content\": \"hi\"}], \"response_format\": {\"type\": \"json_schema\", \"json_schema\": {\"name\": \"x\", \"schema\": %s}}}"
            .formatted(schema);
    try (OcellusServer thinking = TestServer.start(thinker())) {
      JsonNode chat = JSON.readTree(TestServer.post(thinking, "/v1/chat/completions", body).body());
      String content = chat.at("/choices/0/message/content").asText();
      assertThat(JSON.readTree(content).get("ok").isBoolean()).as(chat.toString()).isTrue();
      assertThat(chat.at("/choices/0/message/reasoning_content").isMissingNode()).isFalse();
    }
  }

  @Test
  void aSchemaStandsBesideTools() throws Exception {
    String tool =
        "{\"type\": \"function\", \"function\": {\"name\": \"now\", \"parameters\": {\"type\": \"object\", \"properties\": {}, \"additionalProperties\": false}}}";
    String body =
        "{\"model\": \"%s\", \"max_tokens\": 80, \"temperature\": 0, \"messages\": [{\"role\": \"user\", \"content\": \"hi\"}], \"tools\": [%s], \"tool_choice\": \"%s\", \"response_format\": {\"type\": \"json_object\"}}";
    for (String choice : List.of("auto", "none", "required")) {
      JsonNode message =
          post("/v1/chat/completions", body.formatted(TestServer.TOOLS, tool, choice))
              .at("/choices/0/message");
      boolean calls = message.has("tool_calls");
      assertThat(calls || JSON.readTree(message.get("content").asText()).isObject())
          .as(message.toString())
          .isTrue();
      assertThat(calls).isEqualTo(choice.equals("required") || (calls && choice.equals("auto")));
    }
  }

  @Test
  void textsAreGoneOnWithTogether() throws Exception {
    String asked =
        "{\"prompt\": [\"There is a large\", \"The number\"], \"n\": 2, \"max_tokens\": 3, \"temperature\": 0, \"echo\": true, \"stream\": %s, \"stream_options\": {\"include_usage\": true}}";
    JsonNode whole = post("/v1/completions", asked.formatted(false));
    List<String> texts = whole.get("choices").findValuesAsText("text");
    assertThat(texts).hasSize(4);
    assertThat(texts.get(0)).startsWith("There is a large").isEqualTo(texts.get(1));
    assertThat(texts.get(2)).startsWith("The number").isEqualTo(texts.get(3));
    assertThat(whole.at("/choices/3/index").asInt()).isEqualTo(3);
    assertThat(whole.at("/usage/completion_tokens").asInt()).isEqualTo(12);
    String alone = "{\"prompt\": \"%s\", \"max_tokens\": 3, \"temperature\": 0}";
    int prompts = 0;
    for (String prompt : List.of("There is a large", "The number")) {
      prompts +=
          post("/v1/completions", alone.formatted(prompt)).at("/usage/prompt_tokens").asInt();
    }
    assertThat(whole.at("/usage/prompt_tokens").asInt()).isEqualTo(prompts);

    String stream = TestServer.post(server, "/v1/completions", asked.formatted(true)).body();
    String[] streamed = {"", "", "", ""};
    int told = 0;
    for (String line : stream.lines().filter(l -> l.startsWith("data: {")).toList()) {
      JsonNode chunk = JSON.readTree(line.substring(6));
      for (JsonNode choice : chunk.get("choices")) {
        streamed[choice.get("index").asInt()] += choice.get("text").asText();
      }
      told += chunk.path("usage").path("prompt_tokens").asInt();
    }
    assertThat(streamed).containsExactlyElementsOf(texts);
    assertThat(told).isEqualTo(prompts);
  }

  /** Several answers to one prompt take it over from the first. */
  @Test
  void aPromptIsComputedOnceForSeveralAnswers() throws Exception {
    try (OcellusServer own = TestServer.start(TestServer.options())) {
      JsonNode answers =
          JSON.readTree(
              TestServer.post(own, "/v1/chat/completions", TestServer.question("\"n\": 3,"))
                  .body());
      assertThat(answers.get("choices").size()).isEqualTo(3);
      assertThat(answers.at("/usage/prompt_tokens").asInt()).isEqualTo(84);
      String metrics = TestServer.get(own, "/metrics").body();
      assertThat(metrics)
          .contains("ocellus_prompt_tokens_total 252\n", "ocellus_images_encoded_total 1\n");
      int cached =
          Integer.parseInt(
              metrics.replaceAll("(?s).*\nocellus_cached_tokens_total (\\d+).*", "$1"));
      assertThat(cached).isGreaterThan(2 * 64);
    }
  }

  /** A template that opens reasoning makes all of an answer reasoning that never ends it. */
  @Test
  void tokensOfReasoningAreCounted() throws Exception {
    try (OcellusServer thinking = TestServer.start(thinker())) {
      String asked = "{\"%s\": 7, \"temperature\": 0, \"ignore_eos\": true, %s}";
      JsonNode chat =
          JSON.readTree(
              TestServer.post(
                      thinking,
                      "/v1/chat/completions",
                      asked.formatted(
                          "max_tokens",
                          "\"messages\": [{\"role\": \"user\", \"content\": \"hi\"}]"))
                  .body());
      assertThat(chat.at("/choices/0/message/reasoning_content").asText()).isNotBlank();
      assertThat(chat.at("/usage/completion_tokens_details/reasoning_tokens").asInt()).isEqualTo(7);
      JsonNode response =
          JSON.readTree(
              TestServer.post(
                      thinking,
                      "/v1/responses",
                      asked.formatted("max_output_tokens", "\"input\": \"hi\""))
                  .body());
      int counted = response.at("/usage/output_tokens_details/reasoning_tokens").asInt();
      assertThat(counted).isEqualTo(response.at("/usage/output_tokens").asInt()).isPositive();
    }
  }

  private static ServerOptions thinker() throws IOException {
    String template =
        "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}<|im_start|>assistant\n<think>\n";
    return one("thinker", template);
  }

  /** A server of the chat model alone, with another template. */
  private static ServerOptions one(String name, String template) throws IOException {
    var options = TestServer.options();
    var own = ModelSource.chat(name, DemoModel.files().withChatTemplate(template));
    return new ServerOptions(
        List.of(own),
        options.listen(),
        options.access(),
        options.limits(),
        options.remoteImages(),
        options.hosting(),
        false);
  }

  @Test
  void llamaServersToolsAreThere() throws Exception {
    JsonNode tokens = post("/tokenize", "{\"content\": \"a red circle\"}").get("tokens");
    assertThat(post("/detokenize", "{\"tokens\": " + tokens + "}").get("content").asText())
        .isEqualTo("a red circle");
    JsonNode pieces =
        post("/tokenize", "{\"content\": \"red\", \"with_pieces\": true}").get("tokens");
    assertThat(pieces.get(0).get("piece").asText()).isNotEmpty();
    int bytes = 0;
    for (JsonNode part :
        post("/tokenize", "{\"content\": \"亜\", \"with_pieces\": true}").get("tokens")) {
      bytes += part.get("piece").size(); // characters that the model does not know are bytes
    }
    assertThat(bytes).isEqualTo(3);
    String prompt =
        post("/apply-template", "{\"messages\": [{\"role\": \"user\", \"content\": \"hi\"}]}")
            .get("prompt")
            .asText();
    assertThat(prompt).isEqualTo("<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n");
    JsonNode props = get("/props");
    assertThat(props.at("/modalities/vision").asBoolean()).isTrue();
    assertThat(props.get("total_slots").asInt()).isEqualTo(4);
    assertThat(props.toString()).doesNotContain(".gguf");
    assertThat(get("/health").get("status").asText()).isEqualTo("ok");
  }

  @Test
  void metricsAreReadByPrometheus() {
    TestServer.post(server, "/v1/chat/completions", TestServer.question(""));
    String text = TestServer.get(server, "/metrics").body();
    for (String line : text.lines().toList()) {
      assertThat(line)
          .matches("# (HELP|TYPE) [a-z_:]+ .+|[a-z_:]+(\\{([a-z]+=\"[^\"]*\",?)+})? [0-9.E-]+");
    }
    assertThat(text)
        .contains(
            "ocellus_first_token_seconds_bucket",
            "llamacpp:prompt_tokens_total",
            "ocellus_kept_prefixes ",
            "ocellus_kept_tokens ");
  }

  @Test
  void headersAreGivenWithoutBodies() {
    HttpRequest head =
        TestServer.request(server, "/").method("HEAD", HttpRequest.BodyPublishers.noBody()).build();
    HttpResponse<String> answer = TestServer.send(head);
    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(answer.body()).isEmpty();
    assertThat(TestServer.get(server, "/").body()).isEqualTo("Ollama is running");
  }

  @Test
  void whatTheModelSawIsTold() throws Exception {
    JsonNode answer = post("/v1/chat/completions", TestServer.question(""));
    JsonNode image = answer.at("/ocellus/images/0");
    assertThat(image.get("tokens").asInt()).isEqualTo(64);
    assertThat(image.get("tiles").asInt()).isPositive();
    assertThat(answer.at("/timings/predicted_n").asInt()).isEqualTo(10);
  }

  /** As templates of many models want it. */
  @Test
  void anthropicsMessagesOfOneRoleAreOneTurn() throws Exception {
    String template =
        "{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('roles must alternate') }}{% endif %}<|im_start|>{{ m.role }}\n{% for p in m.content %}{{ p.text if p.type == 'text' else '<image>' }} {% endfor %}<|im_end|>\n{% endfor %}<|im_start|>assistant\n";
    try (OcellusServer strict = TestServer.start(one("strict", template))) {
      String body =
          "{\"max_tokens\": 3, \"messages\": [{\"role\": \"user\", \"content\": \"a\"}, {\"role\": \"user\", \"content\": [{\"type\": \"image\", \"source\": {\"type\": \"base64\", \"media_type\": \"image/png\", \"data\": \"%s\"}}, {\"type\": \"text\", \"text\": \"b\"}]}, {\"role\": \"assistant\", \"content\": \"c\"}, {\"role\": \"assistant\", \"content\": [{\"type\": \"text\", \"text\": \"d\"}]}, {\"role\": \"user\", \"content\": \"e\"}]}"
              .formatted(TestServer.circleBase64());
      HttpResponse<String> answer = TestServer.post(strict, "/v1/messages", body);
      assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
      assertThat(JSON.readTree(answer.body()).at("/usage/input_tokens").asInt()).isGreaterThan(64);
    }
  }

  @Test
  void anthropicsResultsOfToolsAreRead() throws Exception {
    JsonNode n =
        post(
            "/v1/messages/count_tokens",
            """
            {"model": "%s", "system": [{"type": "text", "text": "Be brief."}], "messages": [
              {"role": "user", "content": "Paint."},
              {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "hm", "signature": ""},
                {"type": "tool_use", "id": "t1", "name": "paint", "input": {"colour": "red"}}]},
              {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "done"}]},
                {"type": "text", "text": "And now?"}]}],
             "tools": [{"name": "paint", "input_schema": {"type": "object"}}]}\
            """
                .formatted(TestServer.TOOLS));
    assertThat(n.get("input_tokens").asInt()).isGreaterThan(30);
  }
}
