package dev.ocellus.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.ocellus.vlm.npy.NpyFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmbedTest {
  private static final Path CHECKPOINT = Path.of("../tests/golden/models/clip-openclip/hf");
  private static final Path IMAGE = Path.of("../tests/golden/images/odd_97x61.png");

  @TempDir static Path directory;
  private static Path model = Path.of("");

  @BeforeAll
  static void convert() {
    model = directory.resolve("clip.gguf");
    Cli run = Cli.run("convert", CHECKPOINT, "-o", model, "--outtype", "f32", "--json");
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.json().get("files").findValuesAsText("kind")).containsExactly("dual");
  }

  private static double length(JsonNode vector) {
    double sum = 0;
    for (JsonNode value : vector) {
      sum += value.asDouble() * value.asDouble();
    }
    return Math.sqrt(sum);
  }

  @Test
  void writesVectorsOfLengthOneInTheOrderGiven() {
    Cli run = Cli.run("embed", "-m", model, "--text", "a dog", "a cat", "--image", IMAGE, "--json");
    assertThat(run.code()).as(run.err()).isZero();
    JsonNode json = run.json();
    assertThat(json.get("dimension").asInt()).isEqualTo(48);
    assertThat(json.get("vectors").findValuesAsText("kind"))
        .containsExactly("image", "text", "text");
    assertThat(json.get("vectors").findValuesAsText("input"))
        .containsExactly(IMAGE.toString(), "a dog", "a cat");
    for (JsonNode entry : json.get("vectors")) {
      assertThat(entry.get("vector")).hasSize(48);
      assertThat(length(entry.get("vector"))).isCloseTo(1, within(1e-6));
    }
    assertThat(json.get("logit_scale").asDouble()).isCloseTo(Math.exp(2), within(1e-6));
    assertThat(json.get("logit_bias").asDouble()).isZero();
  }

  @Test
  void leavesTheLengthWhereAsked() throws IOException {
    Path out = directory.resolve("v.npy");
    Cli run = Cli.run("embed", "-m", model, "--text", "a dog", "--no-normalize", "-o", out);
    assertThat(run.code()).as(run.err()).isZero();
    float[] values = NpyFile.read(out).floats();
    assertThat(values).hasSize(48);
    double sum = 0;
    for (float value : values) {
      sum += value * value;
    }
    assertThat(Math.sqrt(sum)).isGreaterThan(2);
  }

  @Test
  void comparesLabelsInTheirOrder() throws IOException {
    Path labels = Files.writeString(directory.resolve("labels.txt"), "a cat\n\na horse\n");
    Cli run =
        Cli.run(
            "classify",
            "-m",
            model,
            "--image",
            IMAGE,
            "--label",
            "a dog",
            "--labels",
            labels,
            "--json");
    assertThat(run.code()).as(run.err()).isZero();
    JsonNode json = run.json();
    assertThat(json.get("labels"))
        .extracting(JsonNode::asText)
        .containsExactly("a dog", "a cat", "a horse");
    assertThat(json.get("logits")).hasSize(3);
    double sum = 0;
    for (JsonNode p : json.get("probabilities")) {
      sum += p.asDouble();
    }
    assertThat(sum).isCloseTo(1, within(1e-6));
  }

  @Test
  void saysWhatIsCut() {
    Cli run = Cli.run("embed", "-m", model, "--text", "dog ".repeat(80), "--json");
    assertThat(run.code()).isZero();
    assertThat(run.err())
        .contains("is longer than the 77 tokens that the model takes; the last 5 were left out");
  }

  @Test
  void refusesWhatIsNoDualEncoder() throws IOException {
    Cli chat = Cli.run("embed", "-m", Models.text(), "--text", "x");
    assertThat(chat.code()).isEqualTo(1);
    assertThat(chat.err()).contains("is a text model of architecture", "not a dual encoder");
    Cli folder = Cli.run("embed", "-m", "../tests/golden/models/smolvlm/hf", "--text", "x");
    assertThat(folder.code()).isEqualTo(1);
    assertThat(folder.err()).contains("is a 'SmolVLMForConditionalGeneration'");
    Cli reverse = Cli.run("describe", "-m", model, IMAGE);
    assertThat(reverse.code()).isEqualTo(1);
    assertThat(reverse.err()).contains("is a dual encoder of images and texts, not a text model");
    assertThat(Cli.run("convert", CHECKPOINT, "--mmproj").err())
        .contains("a dual encoder of images and texts, whose encoders stand in one file");
  }

  @Test
  void refusesToEmbedOrCompareNothing() {
    assertThat(Cli.run("embed", "-m", model).code()).isEqualTo(2);
    Cli none = Cli.run("classify", "-m", model, "--image", IMAGE);
    assertThat(none.code()).isEqualTo(2);
    assertThat(none.err()).contains("no labels; give --label or --labels");
    Cli template =
        Cli.run("classify", "-m", model, "--image", IMAGE, "--label", "x", "--template", "y");
    assertThat(template.err()).contains("template 'y': expected {}");
  }
}
