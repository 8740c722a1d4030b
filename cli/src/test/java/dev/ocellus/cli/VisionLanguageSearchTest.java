package dev.ocellus.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.ocellus.vlm.DemoModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Search with Qwen3-VL-Embedding; scores are the cosines of the golden data's vectors. */
class VisionLanguageSearchTest {
  private static final Path GOLDEN = Path.of("../tests/golden");
  private static final Path MODEL = GOLDEN.resolve("embedding/qwen3-vl-embedding");
  private static final String ODD = "odd_97x61.png";
  private static final List<String> IMAGES = List.of(ODD, "gray_120x90.png", "photo_640x427.jpg");
  private static final String QUERY = "two dogs on a beach";

  @TempDir static Path models;
  private static Path text = Path.of("");
  private static Path mmproj = Path.of("");
  private static JsonNode expected = new ObjectMapper().nullNode();

  @TempDir Path directory;
  private Path folder = Path.of("");

  @BeforeAll
  static void convert() throws IOException {
    text = models.resolve("qwen.gguf");
    mmproj = models.resolve("mmproj-qwen.gguf");
    ok("convert", MODEL.resolve("hf"), "-o", text, "--outtype", "f32");
    expected = new ObjectMapper().readTree(MODEL.resolve("expected.json").toFile());
  }

  @BeforeEach
  void copyImages() throws IOException {
    folder = Files.createDirectories(directory.resolve("images"));
    for (String image : IMAGES) {
      Files.copy(GOLDEN.resolve("images").resolve(image), folder.resolve(image));
    }
  }

  private static Cli ok(Object... arguments) {
    Cli run = Cli.run(arguments);
    assertThat(run.code()).as(run.err()).isZero();
    return run;
  }

  private static double dot(JsonNode a, JsonNode b) {
    assertThat(a).hasSameSizeAs(b);
    double sum = 0;
    for (int i = 0; i < a.size(); i++) {
      sum += a.get(i).asDouble() * b.get(i).asDouble();
    }
    return sum;
  }

  private static double score(JsonNode found, String image) {
    for (JsonNode hit : found.get("results")) {
      if (hit.get("path").asText().endsWith(image)) {
        return hit.get("score").asDouble();
      }
    }
    throw new AssertionError(image + " is not among " + found);
  }

  /** Cosines of a text's vector and those of the images, as 'embed' gives them. */
  private List<Double> cosines(String... options) {
    List<Object> arguments = new ArrayList<>(List.of("embed", "-m", text, "-mm", mmproj, "--json"));
    arguments.addAll(List.of(options));
    arguments.add("--text");
    arguments.add(QUERY);
    JsonNode query = ok(arguments.toArray()).json().get("vectors").get(0).get("vector");
    List<Double> cosines = new ArrayList<>();
    for (String image : IMAGES) {
      JsonNode vector =
          ok("embed", "-m", text, "-mm", mmproj, "--json", "--image", folder.resolve(image))
              .json()
              .get("vectors")
              .get(0)
              .get("vector");
      cosines.add(dot(query, vector));
    }
    return cosines;
  }

  private void assertScores(JsonNode found, List<Double> cosines) {
    for (int i = 0; i < IMAGES.size(); i++) {
      assertThat(score(found, IMAGES.get(i))).isCloseTo(cosines.get(i), within(1e-5));
    }
    List<String> scores = found.get("results").findValuesAsText("score");
    assertThat(scores.stream().map(Double::valueOf).toList())
        .isSortedAccordingTo((a, b) -> Double.compare(b, a));
  }

  @Test
  void findsImagesByTextsAndByImages() {
    JsonNode made = ok("index", folder, "-m", text, "-mm", mmproj, "--json").json();
    assertThat(made.get("dimension").asInt()).isEqualTo(64);
    assertThat(made.get("encoded").asInt()).isEqualTo(3);
    assertThat(made.get("model").asText()).isEqualTo(text.toString());
    JsonNode found = ok("search", folder, QUERY, "--json").json(); // with the model of the index
    assertThat(score(found, ODD))
        .isCloseTo(dot(expected.get(0).get("vector"), expected.get(4).get("vector")), within(1e-5));
    assertScores(found, cosines());
    String purpose = "Retrieve images that match the text";
    JsonNode asked = ok("search", folder, QUERY, "--instruction", purpose, "--json").json();
    assertScores(asked, cosines("--instruction", purpose));
    assertThat(score(asked, ODD)).isNotCloseTo(score(found, ODD), within(1e-4));
    JsonNode like = ok("search", folder, "--image", folder.resolve(ODD), "--json").json();
    assertThat(like.get("results").get(0).get("path").asText()).endsWith(ODD);
    assertThat(score(like, ODD)).isCloseTo(1, within(1e-5));
  }

  @Test
  void findsDuplicatesAndKeepsWhatIsKnown() throws IOException {
    Files.copy(folder.resolve(ODD), folder.resolve("copy.png"));
    Files.writeString(folder.resolve("bad.png"), "no image");
    JsonNode json =
        ok("dedupe", folder, "-m", text, "-mm", mmproj, "--threshold", "0.99999", "--json").json();
    JsonNode group = json.get("groups").get(0);
    assertThat(group.get("identical").asBoolean()).isTrue();
    assertThat(group.get("images").findValuesAsText("path"))
        .containsExactly(folder.resolve("copy.png").toString(), folder.resolve(ODD).toString());
    JsonNode again = ok("index", folder, "--json").json();
    assertThat(again.get("encoded").asInt()).isZero();
    assertThat(again.get("unchanged").asInt()).isEqualTo(5);
    assertThat(again.get("unreadable").findValuesAsText("path")).containsExactly("bad.png");
  }

  /** The first numbers of each vector do alone, and a search takes as many as the index has. */
  @Test
  void keepsFewerNumbersWhereAsked() {
    ok("index", folder, "-m", text, "-mm", mmproj, "--dimension", "24");
    JsonNode found = ok("search", folder, QUERY, "--json").json();
    assertScores(
        ok("search", folder, QUERY, "-m", text, "-mm", mmproj, "--json").json(),
        List.of(
            score(found, IMAGES.get(0)), score(found, IMAGES.get(1)), score(found, IMAGES.get(2))));
    JsonNode whole = ok("index", folder, "--dimension", "64", "--json").json();
    assertThat(whole.get("dimension").asInt()).isEqualTo(64);
    assertThat(whole.get("encoded").asInt()).isEqualTo(3);
    assertThat(score(ok("search", folder, QUERY, "--json").json(), ODD))
        .isNotCloseTo(score(found, ODD), within(1e-6));
  }

  @Test
  void opensTheFolderOfACheckpoint() {
    JsonNode made = ok("index", folder, "-m", MODEL.resolve("hf"), "--json").json();
    assertThat(made.get("encoded").asInt()).isEqualTo(3);
    JsonNode found = ok("search", folder, QUERY, "--json").json();
    assertThat(score(found, ODD))
        .isCloseTo(dot(expected.get(0).get("vector"), expected.get(4).get("vector")), within(1e-4));
  }

  @Test
  void explainsWhatIsWrong() throws IOException {
    Cli blind = Cli.run("index", folder, "-m", text);
    assertThat(blind.code()).isEqualTo(2);
    assertThat(blind.err()).contains("embeds images only with its image encoder: --mmproj");
    Cli demo = Cli.run("index", folder, "--dimension", "8");
    assertThat(demo.code()).isEqualTo(2);
    assertThat(demo.err()).contains("this model is a dual encoder");
    ok("index", folder);
    Cli purpose = Cli.run("search", folder, QUERY, "--instruction", "find it");
    assertThat(purpose.code()).isEqualTo(2);
    assertThat(purpose.err()).contains("this model is a dual encoder");
    Cli other = Cli.run("search", folder, QUERY, "-m", text, "-mm", mmproj);
    assertThat(other.code()).isEqualTo(1);
    assertThat(other.err()).contains("was made with another model, demo (", "(64)");
    ok("index", folder, "-m", text, "-mm", mmproj);
    Cli back = Cli.run("search", folder, QUERY, "-m", DemoModel.dualEncoder());
    assertThat(back.err()).contains("was made with another model, " + text);
    Path moved = Files.move(mmproj, models.resolve("moved.gguf"));
    try {
      Cli lost = Cli.run("search", folder, QUERY);
      assertThat(lost.code()).isEqualTo(1);
      assertThat(lost.err()).contains("say where it is with --mmproj");
      ok("search", folder, QUERY, "--mmproj", moved);
    } finally {
      Files.move(moved, mmproj);
    }
  }
}
