package dev.ocellus.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Qwen3-VL-Embedding; the values are those of the golden data. */
class EmbedInputsTest {
  private static final Path GOLDEN = Path.of("../tests/golden");
  private static final Path MODEL = GOLDEN.resolve("embedding/qwen3-vl-embedding");
  private static final Path ODD = GOLDEN.resolve("images/odd_97x61.png");

  @TempDir static Path directory;
  private static Path text = Path.of("");
  private static Path mmproj = Path.of("");
  private static JsonNode expected = new ObjectMapper().nullNode();

  @BeforeAll
  static void convert() throws IOException {
    text = directory.resolve("qwen.gguf");
    mmproj = directory.resolve("mmproj-qwen.gguf");
    Cli run = Cli.run("convert", MODEL.resolve("hf"), "-o", text, "--outtype", "f32");
    assertThat(run.code()).as(run.err()).isZero();
    expected = new ObjectMapper().readTree(MODEL.resolve("expected.json").toFile());
  }

  private static void assertVector(JsonNode found, int number) {
    JsonNode vector = expected.get(number).get("vector");
    assertThat(found.get("vector")).hasSameSizeAs(vector);
    for (int i = 0; i < vector.size(); i++) {
      assertThat(found.get("vector").get(i).asDouble())
          .isCloseTo(vector.get(i).asDouble(), within(1e-5));
    }
  }

  @Test
  void embedsImagesAndTexts() {
    Cli run =
        Cli.run(
            "embed",
            "-m",
            text,
            "--mmproj",
            mmproj,
            "--image",
            ODD,
            "--text",
            "two dogs on a beach",
            "--json");
    assertThat(run.code()).as(run.err()).isZero();
    JsonNode json = run.json();
    assertThat(json.get("dimension").asInt()).isEqualTo(64);
    assertThat(json.get("vectors").findValuesAsText("kind")).containsExactly("image", "text");
    assertVector(json.get("vectors").get(0), 4);
    assertVector(json.get("vectors").get(1), 0);
  }

  @Test
  void embedsThemTogether() {
    JsonNode both = expected.get(5);
    Path image = GOLDEN.resolve("images").resolve(both.get("image").asText());
    Cli run =
        Cli.run(
            "embed",
            "-m",
            text,
            "-mm",
            mmproj,
            "--image",
            image,
            "--text",
            both.get("text").asText(),
            "--instruction",
            both.get("instruction").asText(),
            "--together",
            "--json");
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.json().get("vectors")).hasSize(1);
    assertVector(run.json().get("vectors").get(0), 5);
  }

  @Test
  void reportsWhatItCannotEmbed() throws IOException {
    Path bad = Files.writeString(directory.resolve("bad.png"), "no image");
    Cli run = Cli.run("embed", "-m", text, "-mm", mmproj, "--image", bad, "--text", "x", "--json");
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.json().get("vectors").get(0).get("error").asText()).contains("bad.png");
    assertThat(run.json().get("vectors").get(1).get("vector")).hasSize(64);
    Cli none = Cli.run("embed", "-m", text, "--text", "a", "b", "--together");
    assertThat(none.code()).isEqualTo(2);
    Cli wide = Cli.run("embed", "-m", text, "--text", "a", "--dimension", "65");
    assertThat(wide.err()).contains("expected 1 to 64", "--dimension");
    Cli demo = Cli.run("embed", "--text", "a", "--dimension", "8");
    assertThat(demo.err()).contains("this model is a dual encoder");
  }
}
