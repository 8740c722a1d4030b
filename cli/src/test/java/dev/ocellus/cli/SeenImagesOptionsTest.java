package dev.ocellus.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Options that show what a model sees and where it says that something is. */
class SeenImagesOptionsTest {
  private static final Path GOLDEN = Path.of("..", "tests", "golden");
  private static final Path IMAGE = GOLDEN.resolve("images/photo_640x427.jpg");

  /** What a model that was trained for it would answer. */
  private static final String BOX =
      "root ::= \"[{\\\"bbox_2d\\\": [28, 14, 56, 42], \\\"label\\\": \\\"cake\\\"}]\"";

  @TempDir Path directory;

  private static Cli describe(String model, Object... more) {
    Path gguf = GOLDEN.resolve("models").resolve(model).resolve("gguf");
    Object[] arguments = {
      "describe",
      "-q",
      "-t",
      1,
      "-m",
      gguf.resolve("text.gguf"),
      "--mmproj",
      gguf.resolve("mmproj.gguf"),
      "-n",
      200,
      "--image-max-tokens",
      24,
      IMAGE
    };
    Object[] all = new Object[arguments.length + more.length];
    System.arraycopy(arguments, 0, all, 0, arguments.length);
    System.arraycopy(more, 0, all, arguments.length, more.length);
    return Cli.run(all);
  }

  @Test
  void namesTheOptionForAModelWithoutAPromptForPages() {
    Path gguf = GOLDEN.resolve("models/llava-1.5/gguf");
    Object[] files = {"-m", gguf.resolve("text.gguf"), "--mmproj", gguf.resolve("mmproj.gguf")};
    Cli run = Cli.run("ocr", "-q", "-t", 1, files[0], files[1], files[2], files[3], IMAGE);
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err()).contains("Read all the text in the image. (option -p)");
    Cli noEncoder = Cli.run("ocr", "-q", "-t", 1, files[0], files[1], IMAGE);
    assertThat(noEncoder.code()).isEqualTo(1);
    assertThat(noEncoder.err()).contains("image encoder. (option --mmproj)");
  }

  @Test
  void drawsTheBoxesOfAnAnswer() throws IOException {
    Path drawn = directory.resolve("drawn.png");
    Cli run = describe("qwen2.5-vl", "--json", "--grammar", BOX, "--draw", drawn);
    assertThat(run.code()).as(run.err()).isZero();
    JsonNode result = run.json().get(0);
    JsonNode details = result.get("image_details").get(0);
    assertThat(details.get("size")).hasToString("[640,427]");
    int width = details.get("tile_sizes").get(0).get(0).asInt();
    int height = details.get("tile_sizes").get(0).get(1).asInt();
    assertThat(details.get("tokens").asInt()).isEqualTo(width / 28 * (height / 28)).isPositive();
    assertThat(details.get("fit").asText()).isEqualTo("stretched");
    JsonNode region = result.get("regions").get(0);
    assertThat(region.get("label").asText()).isEqualTo("cake");
    String expected =
        "[[%d,%d],[%d,%d]]"
            .formatted(
                (int) (28.0 / width * 640),
                (int) (14.0 / height * 427),
                (int) (56.0 / width * 640),
                (int) (42.0 / height * 427));
    assertThat(region.get("points")).hasToString(expected);
    BufferedImage image = ImageIO.read(drawn.toFile());
    assertThat(image.getWidth()).isEqualTo(640);
    assertThat(image.getHeight()).isEqualTo(427);
  }

  @Test
  void printsBoxesAsLinesAndSavesWhatTheEncoderGets() throws IOException {
    Path seen = directory.resolve("seen");
    Cli run = describe("qwen2.5-vl", "--grammar", BOX, "--boxes", "--save-preprocessed", seen);
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.out()).containsPattern("box \\d+,\\d+ \\d+,\\d+ cake");
    BufferedImage image = ImageIO.read(seen.resolve("0-0.png").toFile());
    assertThat(image.getWidth() % 28).isZero();
    assertThat(image.getHeight() % 28).isZero();
  }

  @Test
  void saysWhichModelsGiveNoBoxes() {
    Cli run = describe("llava-1.5", "--boxes");
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err()).contains("no family that gives coordinates").doesNotContain("\tat ");
  }

  @Test
  void drawsOntoOneImageOnly() {
    Cli run = Cli.run("describe", "--draw", directory.resolve("x.png"), IMAGE, IMAGE);
    assertThat(run.code()).isEqualTo(2);
    assertThat(run.err()).contains("--draw takes one image");
  }

  /** Of several images the one that is too large is told by its name, with what makes it fit. */
  @Test
  void namesTheOptionsForAnImageThatDoesNotFit() throws IOException {
    Cli run = describe("qwen2.5-vl", "-c", 40, "-n", 2, "--image-max-tokens", 400, IMAGE, "--json");
    assertThat(run.code()).isEqualTo(1);
    JsonNode results = run.json();
    for (JsonNode result : results) {
      String error = result.get("error").asText();
      assertThat(error).contains("tokens", "-c", "--image-max-tokens");
      assertThat(run.err()).contains(result.get("image").asText() + ": " + error);
    }
    assertThat(results).hasSize(2);
  }

  @Test
  void saysWhereLimitsOfTokensChangeNothing() {
    for (String model : new String[] {"llava-1.5", "qwen2.5-vl"}) {
      Path mmproj = GOLDEN.resolve("models").resolve(model).resolve("gguf/mmproj.gguf");
      Cli run =
          Cli.run("encode", "--mmproj", mmproj, "--image-max-tokens", 24, "-o", directory, IMAGE);
      assertThat(run.code()).as(run.err()).isZero();
      assertThat(run.err().contains("family llava have their own number of tokens"))
          .isEqualTo(model.equals("llava-1.5"));
    }
  }

  @Test
  void tellsWhatWasSeenOfPages() throws IOException {
    Path seen = directory.resolve("seen");
    Path gguf = GOLDEN.resolve("models/qwen2.5-vl/gguf");
    Path mmproj = gguf.resolve("mmproj.gguf");
    Path text = gguf.resolve("text.gguf");
    Cli run =
        Cli.run(
            "ocr",
            "-q",
            "-t",
            1,
            "-m",
            text,
            "--mmproj",
            mmproj,
            "-n",
            2,
            "--image-max-tokens",
            24,
            "--save-preprocessed",
            seen,
            "--json",
            IMAGE,
            Cli.redCircle(directory));
    assertThat(run.code()).as(run.err()).isZero();
    for (int i = 0; i < 2; i++) {
      JsonNode page = run.json().get(i).get("pages").get(0);
      JsonNode details = page.get("image_details").get(0);
      assertThat(details.get("size")).isEqualTo(page.get("size"));
      BufferedImage image = ImageIO.read(seen.resolve(i + "-0.png").toFile());
      assertThat(details.get("tile_sizes"))
          .hasToString("[[%d,%d]]".formatted(image.getWidth(), image.getHeight()));
      assertThat(page.get("preprocessed")).hasSize(1);
    }
  }

  @Test
  void encodesAndSavesWhatTheEncoderGets() throws IOException {
    Path mmproj = GOLDEN.resolve("models/llava-1.5/gguf/mmproj.gguf");
    Path seen = directory.resolve("seen");
    Cli run =
        Cli.run(
            "encode",
            "-q",
            "-t",
            1,
            "--mmproj",
            mmproj,
            "--save-preprocessed",
            seen,
            "-o",
            directory,
            IMAGE);
    assertThat(run.code()).as(run.err()).isZero();
    String name = run.json().get("images").get(0).get("preprocessed").get(0).asText();
    assertThat(ImageIO.read(Path.of(name).toFile()).getWidth()).isEqualTo(56);
  }
}
