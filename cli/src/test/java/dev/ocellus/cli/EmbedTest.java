package dev.ocellus.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.ocellus.vlm.npy.NpyFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
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
  void writesTheSameVectorsInEveryFormat() throws IOException {
    Path list = Files.writeString(directory.resolve("list.txt"), IMAGE + "\n\n" + IMAGE + "\n");
    String text = "a \"dog\", a cat";
    JsonNode json = embed("v.json", list, text, 0);
    List<String> csv = Files.readAllLines(written("v.csv", list, text, 0));
    List<String> lines = Files.readAllLines(written("v.jsonl", list, text, 0));
    float[] npy = NpyFile.read(written("v.npy", list, text, 0)).floats();
    assertThat(csv).hasSize(4);
    assertThat(csv.getFirst()).startsWith("kind,input,v0,v1,").endsWith(",v47");
    assertThat(csv.get(3)).startsWith("text,\"a \"\"dog\"\", a cat\",");
    assertThat(lines).hasSize(3);
    for (int i = 0; i < 3; i++) {
      JsonNode entry = json.get("vectors").get(i);
      assertThat(new ObjectMapper().readTree(lines.get(i))).isEqualTo(entry);
      String[] fields = csv.get(i + 1).split(",");
      for (int j = 0; j < 48; j++) {
        float value = npy[i * 48 + j];
        assertThat(entry.get("vector").get(j).floatValue()).isEqualTo(value);
        assertThat(Float.parseFloat(fields[fields.length - 48 + j])).isEqualTo(value);
      }
    }
  }

  private static JsonNode embed(String out, Path list, String text, int code) throws IOException {
    return new ObjectMapper().readTree(written(out, list, text, code).toFile());
  }

  private static Path written(String name, Path list, String text, int code) {
    Path out = directory.resolve(name);
    Cli run = Cli.run("embed", "-m", model, "--images", list, "--text", text, "-o", out);
    assertThat(run.code()).as(run.err()).isEqualTo(code);
    return out;
  }

  @Test
  void goesOnBehindAnImageThatCannotBeRead() throws IOException {
    Path bad = Files.writeString(directory.resolve("bad.png"), "no image");
    Path list = Files.writeString(directory.resolve("bad.txt"), bad + "\n" + IMAGE + "\n");
    JsonNode json = embed("bad.json", list, "a dog", 1);
    assertThat(json.get("vectors").get(0).get("error").asText()).contains("bad.png");
    assertThat(json.get("vectors").get(0).has("vector")).isFalse();
    assertThat(json.get("vectors").get(1).get("vector")).hasSize(48);
    float[] npy = NpyFile.read(written("bad.npy", list, "a dog", 1)).floats();
    assertThat(npy).hasSize(3 * 48);
    assertThat(npy[0]).isNaN();
    assertThat(npy[48]).isNotNaN();
    assertThat(Files.readAllLines(written("bad.csv", list, "a dog", 1)).get(1)).endsWith(",,,");
    Cli alone = Cli.run("embed", "-m", model, "--image", bad, "-o", directory.resolve("no.npy"));
    assertThat(alone.code()).isEqualTo(1);
    assertThat(alone.err()).contains("bad.png");
    assertThat(directory.resolve("no.npy")).doesNotExist();
  }

  @Test
  void tellsTheFormatByTheName() {
    Cli run = Cli.run("embed", "-m", model, "--text", "x", "-o", directory.resolve("v.xls"));
    assertThat(run.code()).isEqualTo(2);
    assertThat(run.err()).contains("does not tell what to write; give --format (npy, jsonl, json");
    assertThat(Cli.run("embed", "-m", model, "--text", "x", "--format", "csv").out())
        .startsWith("kind,input,v0");
    assertThat(Cli.run("embed", "-m", model, "--text", "x", "--format", "npy").code()).isEqualTo(2);
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
  void saysWhatIsCutOfALabelInItsTemplate() {
    Cli run =
        Cli.run(
            "classify",
            "-m",
            model,
            "--image",
            IMAGE,
            "--label",
            "dog",
            "--template",
            "dog ".repeat(76) + "{}");
    assertThat(run.code()).isZero();
    assertThat(run.err()).contains("is longer than the 77 tokens", "the last 2 were left out");
  }

  @Test
  void readsLabelsAsWindowsWritesThem() throws IOException {
    Path file = Files.writeString(directory.resolve("labels.txt"), "\uFEFFcat\r\n\r\na dog\r\n");
    Cli run = Cli.run("classify", "-m", model, "--image", IMAGE, "--labels", file, "--json");
    assertThat(run.json().get("labels"))
        .extracting(JsonNode::asText)
        .containsExactly("cat", "a dog");
  }

  @Test
  void saysItOnceForThousandsOfTexts() throws IOException {
    Path file =
        Files.writeString(directory.resolve("many.txt"), ("dog ".repeat(80) + "\n").repeat(2000));
    Cli run = Cli.run("classify", "-m", model, "--image", IMAGE, "--labels", file, "--json");
    assertThat(run.code()).isZero();
    assertThat(run.err().lines()).hasSize(11);
    assertThat(run.err()).contains("so are 1990 more texts");
    assertThat(run.json().get("probabilities")).hasSize(2000);
    assertThat(run.json().get("probabilities").get(1999).floatValue())
        .isCloseTo(1 / 2000f, within(1e-7f));
  }

  @Test
  void tokenizesWithTheFolderOfACheckpoint() {
    Cli file = Cli.run("tokenize", "-m", model, "a dog");
    Cli folder = Cli.run("tokenize", "-m", CHECKPOINT, "a dog");
    assertThat(folder.code()).as(folder.err()).isZero();
    assertThat(folder.out()).isNotEmpty().isEqualTo(file.out());
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
        .contains("all parts of this model stand in one file");
  }

  @Test
  void refusesToEmbedOrCompareNothing() {
    assertThat(Cli.run("embed", "-m", model).code()).isEqualTo(2);
    Cli none = Cli.run("classify", "-m", model, "--image", IMAGE);
    assertThat(none.code()).isEqualTo(2);
    assertThat(none.err()).contains("no labels; give --label or --labels");
    Cli template =
        Cli.run("classify", "-m", "none.gguf", "--image", IMAGE, "--label", "x", "--template", "y");
    assertThat(template.code()).isEqualTo(2);
    assertThat(template.err()).contains("template 'y': expected {}");
  }
}
