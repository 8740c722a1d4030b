package dev.ocellus.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** BLIP's three classes; the values are those of the golden data. */
class BlipTest {
  private static final Path GOLDEN = Path.of("../tests/golden");
  private static final Path ODD = GOLDEN.resolve("images/odd_97x61.png");

  @TempDir static Path directory;
  private static Path captioner = Path.of("");
  private static Path answerer = Path.of("");
  private static Path matcher = Path.of("");

  @BeforeAll
  static void convert() {
    captioner = converted("blip-caption");
    answerer = converted("blip-vqa");
    matcher = converted("blip-itm");
  }

  private static Path converted(String model) {
    Path file = directory.resolve(model + ".gguf");
    Path checkpoint = GOLDEN.resolve("models").resolve(model).resolve("hf");
    Cli run = Cli.run("convert", checkpoint, "-o", file, "--outtype", "f32", "--json");
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.json().get("files").findValuesAsText("kind")).containsExactly("fusion");
    return file;
  }

  private static JsonNode golden(String model, String name) throws IOException {
    Path file =
        GOLDEN.resolve("models").resolve(model).resolve("cases").resolve(name).resolve("case.json");
    return new ObjectMapper().readTree(file.toFile());
  }

  private static List<Integer> ids(JsonNode node, int from) {
    List<Integer> ids = new ArrayList<>();
    for (int i = from; i < node.size(); i++) {
      ids.add(node.get(i).asInt());
    }
    return ids;
  }

  @Test
  void captionsWithABeginning() throws IOException {
    JsonNode expected = golden("blip-caption", "prompted");
    String text = expected.get("text").asText();
    int nBeginning = expected.get("input_ids").size() - 1;
    int n = expected.get("caption_ids").size() - nBeginning;
    Cli run = Cli.run("describe", "-m", captioner, "-p", text, "-n", n, ODD, "--json");
    assertThat(run.code()).as(run.err()).isZero();
    JsonNode answer = run.json().get(0);
    assertThat(ids(answer.get("tokens"), 0))
        .isEqualTo(ids(expected.get("caption_ids"), nBeginning));
    assertThat(answer.get("stop_reason").asText()).isEqualTo("length");
    assertThat(answer.get("model").get("path").asText()).isEqualTo(captioner.toString());
    Cli plain = Cli.run("chat", "-m", captioner, "-p", text, "-n", n, "--image", ODD);
    assertThat(plain.out().strip())
        .isEqualTo(text.toLowerCase(Locale.ROOT) + answer.get("text").asText());
  }

  @Test
  void answersNameTheFolderThatWasGiven() {
    Path folder = GOLDEN.resolve("models/blip-caption/hf");
    Cli described = Cli.run("describe", "-m", folder, "-n", 2, ODD, "--json");
    assertThat(described.json().get(0).get("model").get("path").asText())
        .isEqualTo(folder.toString());
    Cli chat = Cli.run("chat", "-m", folder, "-p", "a", "-n", 2, "--image", ODD, "--json");
    assertThat(chat.json().get("model").get("path").asText()).isEqualTo(folder.toString());
  }

  @Test
  void captionsEveryImageAndReportsBadOnes() throws IOException {
    Path bad = Files.writeString(directory.resolve("bad.png"), "no image");
    Cli run = Cli.run("describe", "-m", captioner, ODD, bad, "--json");
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.json().get(0).get("tokens")).isNotEmpty();
    assertThat(run.json().get(1).get("error").asText()).contains("bad.png");
  }

  @Test
  void answersQuestions() throws IOException {
    JsonNode expected = golden("blip-vqa", "odd");
    int n = expected.get("answer_ids").size() - 1;
    String question = expected.get("text").asText();
    Cli run = Cli.run("chat", "-m", answerer, "--image", ODD, "-p", question, "-n", n, "--json");
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(ids(run.json().get("tokens"), 0)).isEqualTo(ids(expected.get("answer_ids"), 1));
    assertThat(ids(run.json().get("prompt_tokens"), 0))
        .isEqualTo(ids(expected.get("input_ids"), 0));
  }

  @Test
  void searchesWithBeams() throws IOException {
    JsonNode expected = golden("blip-caption", "prompted");
    JsonNode search = expected.get("beams").get(1); // three beams, as long as they get
    Cli run =
        Cli.run(
            "describe",
            "-m",
            captioner,
            "-p",
            expected.get("text").asText(),
            "-n",
            search.get("max_new_tokens").asInt(),
            "--beams",
            search.get("num_beams").asInt(),
            ODD,
            "--json");
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(ids(run.json().get(0).get("tokens"), 0)).isEqualTo(ids(search.get("tokens"), 0));
    Cli plain = Cli.run("describe", "-m", captioner, "--beams", 2, "-n", 5, ODD);
    assertThat(plain.out()).isNotBlank();
  }

  @Test
  void showsTokens() throws IOException {
    JsonNode expected = golden("blip-caption", "prompted");
    Cli run = Cli.run("tokenize", "-m", captioner, "A photo of the Ocean", "--json");
    assertThat(run.code()).as(run.err()).isZero();
    List<Integer> whole = ids(expected.get("input_ids"), 0);
    assertThat(ids(run.json().get("ids"), 0)).isEqualTo(whole.subList(1, whole.size() - 1));
    assertThat(run.json().get("tokens").get(1).get("piece").asText()).isEqualTo("photo");
    Cli special = Cli.run("tokenize", "-m", captioner, "[SEP]", "--json");
    assertThat(special.json().get("tokens").get(0).get("control").asBoolean()).isTrue();
  }

  @Test
  void measuresAndComparesModelsOfOneFile() {
    for (Path model : List.of(captioner, answerer, matcher)) {
      Cli run = Cli.run("bench", "-m", model, "-n", 4, "-r", 1, "--image", ODD, "--json");
      assertThat(run.code()).as(run.err()).isZero();
      assertThat(run.json().get("results").findValuesAsText("test"))
          .containsExactly("image preprocess", "image encode", model == matcher ? "match" : "tg4");
      Cli same = Cli.run("compare", model, model, "--image", ODD, "--no-weights", "--json");
      assertThat(same.code()).as(same.err()).isZero();
      assertThat(same.out()).contains("vision.last_hidden");
    }
  }

  @Test
  void measuresTextModelsThatLibllamaHasNot() throws IOException {
    Path words = Files.writeString(directory.resolve("words.txt"), "two dogs on a beach");
    for (String name : List.of("blip2-opt", "blip2-t5")) {
      Path file = directory.resolve(name + ".gguf");
      Path checkpoint = GOLDEN.resolve("models").resolve(name).resolve("hf");
      assertThat(Cli.run("convert", checkpoint, "-o", file).code()).isZero();
      Cli run = Cli.run("bench", "-m", file, "-p", 9, "-n", 4, "-r", 1, "--json");
      assertThat(run.code()).as(run.err()).isZero();
      assertThat(run.json().get("results").findValuesAsText("test")).containsExactly("pp9", "tg4");
      assertThat(Cli.run("tokenize", "-m", file, "a dog", "--json").json().get("ids")).isNotEmpty();
      refused(1, "are not computed by libllama", "perplexity", "-m", file, "-f", words);
    }
  }

  @Test
  void opensACheckpointAsItIs() throws IOException {
    Path checkpoint = GOLDEN.resolve("models/blip-vqa/hf");
    JsonNode expected = golden("blip-vqa", "odd");
    String question = expected.get("text").asText();
    Cli run = Cli.run("describe", "-m", checkpoint, "-p", question, "-n", 4, ODD, "--json");
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(ids(run.json().get(0).get("tokens"), 0))
        .isEqualTo(ids(expected.get("answer_ids"), 1).subList(0, 4));
  }

  @Test
  void matchesImagesAndTexts() {
    Cli one = Cli.run("match", "-m", matcher, "--image", ODD, "--text", "a red bicycle", "--json");
    assertThat(one.code()).as(one.err()).isZero();
    assertThat(one.json().get("itm").asDouble()).isBetween(0.0, 1.0);
    assertThat(one.json().get("itc").asDouble()).isBetween(-1.0, 1.0);
    Path other = GOLDEN.resolve("images/gray_120x90.png");
    Cli more =
        Cli.run(
            "match",
            "-m",
            matcher,
            "--image",
            ODD,
            other,
            "--text",
            "a dog",
            "a red bicycle",
            "--json");
    JsonNode matches = more.json().get("matches");
    assertThat(matches).hasSize(4);
    assertThat(matches.get(1).get("itm").asDouble())
        .isCloseTo(one.json().get("itm").asDouble(), within(1e-9));
    assertThat(matches.findValuesAsText("text"))
        .containsExactly("a dog", "a red bicycle", "a dog", "a red bicycle");
    Cli table = Cli.run("match", "-m", matcher, "--image", ODD, "--text", "a dog", "a red bicycle");
    assertThat(table.out().lines()).hasSize(2).allMatch(line -> line.contains("cosine"));
  }

  @Test
  void quantizes() {
    Path file = directory.resolve("itm-q8.gguf");
    Cli run = Cli.run("quantize", matcher, file, "Q8_0", "--json");
    assertThat(run.code()).as(run.err()).isZero();
    Cli exact = Cli.run("match", "-m", matcher, "--image", ODD, "--text", "a dog", "--json");
    Cli rounded = Cli.run("match", "-m", file, "--image", ODD, "--text", "a dog", "--json");
    assertThat(rounded.json().get("itm").asDouble())
        .isNotEqualTo(exact.json().get("itm").asDouble())
        .isCloseTo(exact.json().get("itm").asDouble(), within(0.05));
  }

  @Test
  void saysWhatATextLost() {
    Cli run =
        Cli.run("match", "-m", matcher, "--image", ODD, "--text", "a dog ".repeat(40), "--json");
    assertThat(run.code()).isZero();
    assertThat(run.err()).contains("is longer than the 24 tokens that the model takes; the last");
  }

  @Test
  void refusesWhatSuchModelsCannotDo() throws IOException {
    refused(2, "takes no system message", "describe", "-m", captioner, "--system", "x", ODD);
    refused(2, "cannot converse", "chat", "-m", answerer, "-p", "what is it?");
    refused(
        1,
        "cannot be constrained to a grammar",
        "describe",
        "-m",
        captioner,
        "--grammar",
        "root ::= \"a\"",
        ODD);
    refused(
        1,
        "is a model that captions images, not a model that matches",
        "match",
        "-m",
        captioner,
        "--image",
        ODD,
        "--text",
        "x");
    refused(1, "is a text model", "match", "-m", Models.text(), "--image", ODD, "--text", "x");
    refused(1, "is a model that matches images and texts", "describe", "-m", matcher, ODD);
    refused(2, "no texts", "match", "-m", matcher, "--image", ODD);
  }

  private static void refused(int code, String message, Object... arguments) {
    Cli run = Cli.run(arguments);
    assertThat(run.code()).as(run.err()).isEqualTo(code);
    assertThat(run.err()).contains(message);
  }
}
