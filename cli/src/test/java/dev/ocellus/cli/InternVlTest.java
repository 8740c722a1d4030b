package dev.ocellus.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** InternVL 1.0, one checkpoint for vectors, captions and matches, as a folder and as a file. */
class InternVlTest {
  private static final Path GOLDEN = Path.of("../tests/golden");
  private static final Path MODEL = GOLDEN.resolve("dual/internvl-c");
  private static final Path FOLDER = MODEL.resolve("hf");

  @TempDir static Path directory;
  private static Path file = Path.of("");

  @BeforeAll
  static void convert() {
    file = directory.resolve("internvl.gguf");
    Cli run = Cli.run("convert", FOLDER, "-o", file, "--outtype", "f32");
    assertThat(run.code()).as(run.err()).isZero();
  }

  private static JsonNode golden(String name) throws IOException {
    return new ObjectMapper().readTree(MODEL.resolve(name).toFile());
  }

  private static Path image(String name) {
    return GOLDEN.resolve("images").resolve(name);
  }

  private static int[] ints(JsonNode node) {
    return new ObjectMapper().convertValue(node, int[].class);
  }

  @Test
  void captionsAreThoseOfTheGoldenData() throws IOException {
    JsonNode example = golden("captions.json").get(1);
    Path shown = image(example.get("image").asText());
    JsonNode first = example.get("captions").get(0);
    JsonNode second = example.get("captions").get(1);
    for (Path model : List.of(FOLDER, file)) {
      Cli run = Cli.run("describe", "-m", model, "-n", 12, "--ignore-eos", shown, "--json");
      assertThat(run.code()).as(run.err()).isZero();
      JsonNode answer = run.json().get(0);
      assertThat(ints(answer.get("tokens"))).isEqualTo(ints(first.get("greedy")));
      assertThat(answer.get("model").get("path").asText()).isEqualTo(model.toString());
      Cli beams =
          Cli.run(
              "chat",
              "-m",
              model,
              "-p",
              second.get("prompt").asText(),
              "-n",
              12,
              "--beams",
              5,
              "--min-new-tokens",
              8,
              "--image",
              shown,
              "--json");
      assertThat(beams.code()).as(beams.err()).isZero();
      assertThat(ints(beams.json().get("tokens"))).isEqualTo(ints(second.get("beams")));
    }
  }

  @Test
  void matchesAreThoseOfTheGoldenData() throws IOException {
    JsonNode example = golden("captions.json").get(0);
    JsonNode expected = example.get("matches").get(0);
    double no = expected.get("itm").get(0).asDouble();
    double yes = expected.get("itm").get(1).asDouble();
    for (Path model : List.of(FOLDER, file)) {
      Cli run =
          Cli.run(
              "match",
              "-m",
              model,
              "--image",
              image(example.get("image").asText()),
              "--text",
              expected.get("text").asText(),
              "--json");
      assertThat(run.code()).as(run.err()).isZero();
      assertThat(run.json().get("itm").asDouble())
          .isCloseTo(1 / (1 + Math.exp(no - yes)), within(1e-4));
      assertThat(run.json().get("itc").asDouble())
          .isCloseTo(expected.get("itc").asDouble(), within(1e-5));
    }
  }

  private static float[] vector(Path model, String type, Path shown) {
    Cli run =
        Cli.run(
            "embed",
            "-m",
            model,
            "--model-type",
            type,
            "--image",
            shown,
            "--no-normalize",
            "--json");
    assertThat(run.code()).as(run.err()).isZero();
    JsonNode vector = run.json().get("vectors").get(0).get("vector");
    return new ObjectMapper().convertValue(vector, float[].class);
  }

  @Test
  void vectorsAreThoseOfTheTypeThatIsAskedFor() throws IOException {
    JsonNode expected = golden("expected.json");
    Path shown = image(expected.get("images").get(0).asText());
    float[] c = new ObjectMapper().convertValue(expected.get("image").get(0), float[].class);
    float[] g = new ObjectMapper().convertValue(expected.get("g").get(0), float[].class);
    for (Path model : List.of(FOLDER, file)) {
      assertThat(vector(model, "internvl_c", shown)).containsExactly(c, within(2e-5f));
      assertThat(vector(model, "internvl_g", shown)).containsExactly(g, within(2e-5f));
    }
    for (Path model : List.of(FOLDER, file)) {
      Cli other = Cli.run("embed", "-q", "-m", model, "--model-type", "clip", "--text", "a");
      assertThat(other.code()).isEqualTo(1);
      assertThat(other.err())
          .contains("expected one that " + model + " holds (internvl_c, internvl_g), found 'clip'")
          .contains("--model-type")
          .doesNotContain("checkpoints");
    }
  }

  @Test
  void anIndexRemembersItsType() throws IOException {
    Path images = Files.createDirectory(directory.resolve("images"));
    Files.copy(image("odd_97x61.png"), images.resolve("odd.png"));
    Files.copy(image("gray_120x90.png"), images.resolve("gray.png"));
    Cli made = Cli.run("index", images, "-m", file, "--model-type", "internvl_g");
    assertThat(made.code()).as(made.err()).isZero();
    Cli found = Cli.run("search", images, "a cat", "--json");
    assertThat(found.code()).as(found.err()).isZero();
    assertThat(found.json().get("results")).hasSize(2);
    Cli other = Cli.run("search", images, "a cat", "-m", file, "--json");
    assertThat(other.code()).isNotZero();
  }
}
