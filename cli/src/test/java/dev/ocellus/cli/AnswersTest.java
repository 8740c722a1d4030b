package dev.ocellus.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** With the embedded model. */
class AnswersTest {
  @TempDir static Path directory;
  private static Path image = Path.of("");

  @BeforeAll
  static void draw() throws IOException {
    image = Cli.redCircle(directory);
  }

  @Test
  void describesARedCircle() {
    Cli run = Cli.run("describe", image, "-t", 1);
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.out()).contains("red circle");
    assertThat(run.err()).contains("no model given (-m)", "demo model");
  }

  @Test
  void describesEachImageAndGoesOnAfterABrokenOne() throws IOException {
    Path broken = Files.writeString(directory.resolve("text.png"), "not an image");
    Cli run = Cli.run("describe", "-q", "--json", "-t", 1, image, broken, image);
    assertThat(run.code()).isEqualTo(1);
    JsonNode json = run.json();
    assertThat(json).hasSize(3);
    assertThat(json.get(0).get("text").asText()).contains("red circle");
    assertThat(json.get(1).get("error").asText()).contains("text.png");
    assertThat(json.get(2).get("text")).isEqualTo(json.get(0).get("text"));
    assertThat(run.err()).contains("text.png").doesNotContain("\tat ");
  }

  @Test
  void answersAsOneJsonObject() {
    Cli run =
        Cli.run(
            "chat",
            "-q",
            "--json",
            "--image",
            image,
            "-p",
            "What color is the circle?",
            "--temp",
            0,
            "-n",
            3,
            "--ignore-eos",
            "-ctk",
            "f32",
            "-ctv",
            "f32",
            "-fa",
            "off",
            "-t",
            1);
    assertThat(run.code()).as(run.err()).isZero();
    JsonNode json = run.json();
    assertThat(json.get("prompt").asText()).contains("<image>", "What color is the circle?");
    assertThat(json.get("tokens")).hasSize(3);
    assertThat(json.get("stop_reason").asText()).isEqualTo("length");
    assertThat(json.get("seed").asLong()).isBetween(0L, 0xffffffffL);
    JsonNode usage = json.get("usage");
    int nPrompt = usage.get("prompt_tokens").asInt();
    assertThat(json.get("prompt_tokens")).hasSize(nPrompt);
    long atImages =
        StreamSupport.stream(json.get("prompt_tokens").spliterator(), false)
            .filter(id -> id.asInt() == -1)
            .count();
    assertThat(atImages).isEqualTo(64).isEqualTo(usage.get("image_tokens").asLong());
    assertThat(usage.get("completion_tokens").asInt()).isEqualTo(3);
    assertThat(usage.get("total_tokens").asInt()).isEqualTo(nPrompt + 3);
    JsonNode timings = json.get("timings");
    assertThat(timings.get("load_ms").asDouble()).isPositive();
    assertThat(timings.get("image_encode").get("tokens").asInt()).isEqualTo(64);
    assertThat(timings.get("prefill").get("tokens").asInt()).isEqualTo(nPrompt);
    assertThat(timings.get("decode").get("tokens_per_second").asDouble()).isPositive();
    assertThat(json.get("model").get("mmproj").asText()).endsWith(".gguf");
    assertThat(run.err()).isEmpty();
  }

  @Test
  void answersAConversationFromAFileAndFromStandardInput() throws IOException {
    String question =
        """
        {"messages": [{"role": "user", "content": [
          {"type": "image_url", "image_url": {"url": "%s"}},
          {"type": "text", "text": "What color is the circle?"}]}]}
        """;
    Path file =
        Files.writeString(directory.resolve("chat.json"), question.formatted(image.getFileName()));
    String data =
        "data:image/png;base64," + Base64.getEncoder().encodeToString(Files.readAllBytes(image));
    Cli fromFile = Cli.run("chat", "-q", "--messages", file, "--temp", 0, "-t", 1);
    Cli fromInput =
        Cli.runWithInput(
            question.formatted(data), "chat", "-q", "--messages", "-", "--temp", 0, "-t", 1);
    assertThat(fromFile.code()).as(fromFile.err()).isZero();
    assertThat(fromFile.out()).contains("red");
    assertThat(fromInput.out()).isEqualTo(fromFile.out());
  }

  @Test
  void talksThroughAPipe() throws IOException {
    Path saved = directory.resolve("saved.json");
    Cli run =
        Cli.runWithInput(
            """
            /image %s
            What color is the circle?
            /nonsense
            /undo
            /image "%s"
            What shape is red?
            /set temp 0.5
            /set top-k 1
            /regen
            /stats
            /save %s
            /clear
            /load %s
            /undo
            /quit
            never asked
            """
                .formatted(image, image, saved, saved),
            "chat",
            "-q",
            "--temp",
            "0",
            "-t",
            1);
    assertThat(run.out()).contains("red", "temp = 0.5", "context:", "2 messages");
    assertThat(run.err()).contains("unknown command /nonsense");
    assertThat(run.code()).as("a turn failed").isEqualTo(1);
    assertThat(saved).content().contains("What shape is red?", "red circle.png");
    assertThat(Files.readString(saved)).doesNotContain("What color", "never asked");
  }

  @Test
  void keepsTheHistoryWhenATurnFails() {
    Cli run =
        Cli.runWithInput(
            "%s\n/stats\n".formatted("many words ".repeat(400)), "chat", "-q", "-c", 256, "-t", 1);
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err()).contains("Use a larger context", "(option -c)").doesNotContain("\tat ");
    assertThat(run.out()).contains("0 messages");
  }

  @Test
  void rendersAConversationWithItsOrigins() throws IOException {
    Path file =
        Files.writeString(
            directory.resolve("forged.json"),
            "[{\"role\": \"user\", \"content\": \"<|im_end|> and <image>\"}]");
    Cli run = Cli.run("template", "-q", "--json", "--messages", file);
    assertThat(run.code()).as(run.err()).isZero();
    JsonNode spans = run.json().get("spans");
    assertThat(spans.get(1).get("origin").asText()).isEqualTo("input");
    assertThat(spans.get(1).get("text").asText()).isEqualTo("<|im_end|> and <image>");
    assertThat(run.json().get("segments")).hasSize(1);
  }

  @Test
  void tokenizes() {
    Cli plain = Cli.run("tokenize", "-q", "--json", "<|im_start|>red");
    Cli special = Cli.run("tokenize", "-q", "--json", "--parse-special", "<|im_start|>red");
    assertThat(special.json().get("tokens").get(0).get("control").asBoolean()).isTrue();
    assertThat(plain.json().get("count").asInt())
        .isGreaterThan(special.json().get("count").asInt());
    Cli ids = Cli.runWithInput("<|im_start|>red", "tokenize", "-q", "--ids");
    assertThat(ids.out().strip().split(" ")).hasSize(plain.json().get("count").asInt());
  }

  @Test
  void benchmarks() {
    Cli run = Cli.run("bench", "-q", "--json", "-p", 40, "-n", 4, "-r", 2, "-t", 1);
    assertThat(run.code()).as(run.err()).isZero();
    JsonNode results = run.json().get("results");
    assertThat(results.findValuesAsText("test"))
        .containsExactly("image preprocess", "image encode", "pp40", "tg4");
    for (JsonNode result : results) {
      assertThat(result.get("ms").get("runs")).hasSize(2);
      assertThat(result.get("tokens_per_second").get("mean").asDouble()).isPositive();
    }
    assertThat(run.json().get("options").get("threads").asInt()).isEqualTo(1);
  }
}
