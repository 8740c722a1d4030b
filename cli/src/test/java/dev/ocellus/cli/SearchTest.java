package dev.ocellus.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.ocellus.vlm.DemoModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What somebody does first, with the embedded model and nothing downloaded. */
class SearchTest {
  private static final Path PICTURES = Path.of("../docs/pictures");

  @TempDir Path directory;
  private Path folder;

  @BeforeEach
  void copyPictures() throws IOException {
    folder = Files.createDirectories(directory.resolve("pictures"));
    try (Stream<Path> files = Files.list(PICTURES)) {
      for (Path file : files.filter(f -> f.toString().endsWith(".png")).toList()) {
        Files.copy(file, folder.resolve(file.getFileName()));
      }
    }
  }

  private static Cli ok(Object... arguments) {
    Cli run = Cli.run(arguments);
    assertThat(run.code()).as(run.err()).isZero();
    return run;
  }

  private String best(String text) {
    JsonNode found = ok("search", folder, text, "--json").json();
    return Path.of(found.get("results").get(0).get("path").asText()).getFileName().toString();
  }

  @Test
  void findsImagesByWhatIsOnThem() {
    Cli index = ok("index", folder);
    assertThat(index.out()).contains("3 images in", "3 encoded");
    assertThat(index.err()).contains("the embedded tiny-shapes-clip answers");
    assertThat(best("a red circle")).isEqualTo("red-circle.png");
    assertThat(best("a blue square")).isEqualTo("square-and-star.png");
    assertThat(best("a yellow star and a blue square")).isEqualTo("square-and-star.png");
    assertThat(best("the number 7")).isEqualTo("seven.png");
    assertThat(best("two shapes")).isEqualTo("square-and-star.png");
    Cli text = ok("search", folder, "a", "red", "circle", "-n", "1");
    assertThat(text.out()).matches(" 0\\.\\d{3}  \\Q" + folder + "\\E.red-circle\\.png\\R");
  }

  @Test
  void makesAnIndexWhereThereIsNone() {
    Cli first = ok("search", folder, "--image", folder.resolve("seven.png"), "--json");
    assertThat(first.err()).contains("no index of " + folder + " yet: making it in");
    JsonNode best = first.json().get("results").get(0);
    assertThat(best.get("path").asText()).isEqualTo(folder.resolve("seven.png").toString());
    assertThat(best.get("score").asDouble()).isGreaterThan(0.9999);
    assertThat(best.get("width").asInt()).isEqualTo(320);
    assertThat(first.json().get("images").asInt()).isEqualTo(3);
    Cli second = ok("search", folder, "x", "--json");
    assertThat(second.err()).doesNotContain("making it");
    assertThat(folder.resolve(".ocellus/.gitignore")).exists();
  }

  @Test
  void classifiesWithNothingDownloaded() {
    JsonNode found =
        ok(
                "classify",
                "--image",
                folder.resolve("red-circle.png"),
                "--label",
                "a red circle",
                "--label",
                "a blue square",
                "--json")
            .json();
    assertThat(found.get("probabilities").get(0).asDouble()).isGreaterThan(0.9);
    JsonNode embedded = ok("embed", "--text", "a red circle", "--json").json();
    assertThat(embedded.get("vectors").get(0).get("vector"))
        .hasSize(embedded.get("dimension").asInt());
  }

  @Test
  void encodesWhatIsNewAndSkipsWhatIsBad() throws IOException {
    ok("index", folder);
    Files.writeString(folder.resolve("bad\u001b[31m.png"), "no image");
    Files.copy(folder.resolve("seven.png"), folder.resolve("copy.png"));
    Files.delete(folder.resolve("red-circle.png"));
    Cli run = ok("index", folder, "--json");
    JsonNode json = run.json();
    assertThat(json.get("images").asInt()).isEqualTo(3);
    assertThat(json.get("encoded").asInt()).isZero();
    assertThat(json.get("reused").asInt()).isEqualTo(1);
    assertThat(json.get("removed").asInt()).isEqualTo(1);
    assertThat(json.get("unreadable").get(0).get("path").asText()).isEqualTo("bad\u001b[31m.png");
    assertThat(run.err()).contains("left out bad\\u{1b}[31m.png: ").doesNotContain("\u001b");
    Files.delete(folder.resolve("seven.png"));
    Cli gone = ok("search", folder, "the number 7", "-n", "2");
    assertThat(gone.out()).contains("seven.png (not there any more; --update)");
    assertThat(ok("search", folder, "the number 7", "--update").out()).doesNotContain("seven.png");
  }

  @Test
  void findsDuplicates() throws IOException {
    Files.copy(folder.resolve("seven.png"), folder.resolve("zz.png"));
    JsonNode json = ok("dedupe", folder, "--exact", "--json").json();
    assertThat(json.get("groups")).hasSize(1);
    assertThat(json.get("groups").get(0).get("identical").asBoolean()).isTrue();
    assertThat(json.get("groups").get(0).get("images").findValuesAsText("path"))
        .containsExactly(
            folder.resolve("seven.png").toString(), folder.resolve("zz.png").toString());
    Cli text = ok("dedupe", folder, "--threshold", "0.999");
    assertThat(text.out()).contains("=       " + folder.resolve("zz.png"));
    assertThat(text.err()).contains("1 groups; without duplicates 3 of 4 images would be left");
    assertThat(Cli.run("dedupe", folder, "--threshold", "2").code()).isEqualTo(2);
  }

  @Test
  void writesAPageThatNamesCannotBreak() throws IOException {
    Files.move(
        folder.resolve("seven.png"), folder.resolve("<img src=x onerror=alert(1)> & \"x\".png"));
    Path page = directory.resolve("found.html");
    ok("search", folder, "<script>alert(2)</script>", "--html", page);
    String html = Files.readString(page);
    assertThat(html)
        .contains("&lt;script&gt;alert(2)&lt;/script&gt;")
        .contains("&lt;img src=x onerror=alert(1)&gt; &amp; &quot;x&quot;.png")
        .contains("data:image/jpeg;base64,")
        .doesNotContain("<script")
        .doesNotContain("<img src=x");
  }

  @Test
  void wantsTheModelThatMadeTheIndex() throws IOException {
    Path model = directory.resolve("clip.gguf");
    ok("convert", "../tests/golden/models/clip-openclip/hf", "-o", model, "--outtype", "f32");
    ok("index", folder, "-m", model);
    assertThat(ok("search", folder, "x", "--json").err()).doesNotContain("embedded");
    Cli other = Cli.run("search", folder, "x", "-m", DemoModel.dualEncoder());
    assertThat(other.code()).isEqualTo(1);
    assertThat(other.err())
        .contains("was made with another model, " + model, "(options -m, --rebuild)");
    Path moved = directory.resolve("elsewhere.gguf");
    Files.move(model, moved, StandardCopyOption.ATOMIC_MOVE);
    Cli lost = Cli.run("search", folder, "x");
    assertThat(lost.code()).isEqualTo(1);
    assertThat(lost.err()).contains("the model that made the index is not there any more");
    ok("search", folder, "x", "-m", moved);
    Cli anew = ok("index", folder, "-m", DemoModel.dualEncoder(), "--json");
    assertThat(anew.err()).contains("was made with another model").contains("making it anew");
    assertThat(anew.json().get("encoded").asInt()).isEqualTo(3);
  }

  @Test
  void explainsWhatIsWrong() throws IOException {
    ok("index", folder);
    for (List<String> wrong :
        List.of(
            List.of("search", folder.toString()),
            List.of("search", folder.toString(), " "),
            List.of("search", folder.toString(), "x", "--image", "y.png"),
            List.of("search", folder.toString(), "x", "--max", "0"),
            List.of("search"),
            List.of("index"))) {
      assertThat(Cli.run(wrong.toArray()).code()).as(wrong.toString()).isEqualTo(2);
    }
    Cli nowhere = Cli.run("index", directory.resolve("nowhere"));
    assertThat(nowhere.code()).isEqualTo(1);
    assertThat(nowhere.err()).contains("no such file: " + directory.resolve("nowhere"));
    Cli file = Cli.run("search", folder.resolve("seven.png"), "x");
    assertThat(file.err()).contains("seven.png: is not a folder");
    Cli place = Cli.run("index", folder, "--index", folder);
    assertThat(place.code()).isEqualTo(1);
    assertThat(place.err()).contains("holds other files", "--index");
    Path commit;
    try (Stream<Path> files = Files.list(folder.resolve(".ocellus/index"))) {
      commit =
          files.filter(f -> f.getFileName().toString().startsWith("segments_")).findAny().get();
    }
    Files.write(commit, new byte[] {1, 2, 3});
    for (String verb : List.of("index", "dedupe")) {
      Cli damaged = Cli.run(verb, folder);
      assertThat(damaged.code()).isEqualTo(1);
      assertThat(damaged.err()).contains("is damaged", "(option --rebuild)");
    }
    assertThat(Cli.run("search", folder, "x").err()).contains("is damaged");
    assertThat(best("the number 7", "--rebuild")).isEqualTo("seven.png");
    assertThat(best("the number 7")).isEqualTo("seven.png");
  }

  private String best(String text, String option) {
    JsonNode found = ok("search", folder, text, option, "--json").json();
    return Path.of(found.get("results").get(0).get("path").asText()).getFileName().toString();
  }
}
