package dev.ocellus.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The interactive chat with lines from a pipe; ReplPtyTest has a person's terminal. */
class ReplTest {
  @TempDir static Path directory;
  private static Path image = Path.of("");

  @BeforeAll
  static void draw() throws IOException {
    image = Cli.redCircle(directory);
  }

  private static Cli chat(String... lines) {
    return Cli.runWithInput(
        String.join("\n", lines) + "\n", "chat", "-q", "-t", 1, "--temp", 0, "-n", 12);
  }

  private static JsonNode saved(String name) throws IOException {
    return new ObjectMapper().readTree(Files.readString(directory.resolve(name)));
  }

  private static String save(String name) {
    return "/save " + directory.resolve(name);
  }

  @Test
  void takesImagesThatAreDroppedIntoALine() throws IOException {
    String escaped = image.toString().replace(" ", "\\ ");
    for (String line :
        new String[] {
          "'" + image + "' What color is the circle?",
          escaped + " What color is the circle?",
          "What color is the circle? " + escaped,
          image + "\nWhat color is the circle?",
          image.toUri() + " What color is the circle?"
        }) {
      Cli run = chat(line, save("dropped.json"));
      assertThat(run.code()).as(line + run.err()).isZero();
      assertThat(run.out()).contains("added red circle.png (192 x 192)", "red");
      JsonNode content = saved("dropped.json").get(0).get("content");
      assertThat(content).as(line).hasSize(2);
      assertThat(content.get(1).get("text").asText()).isEqualTo("What color is the circle?");
    }
  }

  @Test
  void takesTextThatOnlyLooksLikeAPathForText() throws IOException {
    Cli run = chat("Is 'no such.png' an image?", save("text.json"));
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(saved("text.json").get(0).get("content").asText())
        .isEqualTo("Is 'no such.png' an image?");
  }

  @Test
  void readsSeveralLinesAsOneQuestion() throws IOException {
    Cli run =
        chat(
            "one\\",
            "two",
            "\"\"\"",
            "three",
            "  four",
            "\"\"\"",
            "\"\"\"five\"\"\"",
            save("m.json"));
    assertThat(run.code()).as(run.err()).isZero();
    JsonNode messages = saved("m.json");
    assertThat(messages.get(0).get("content").asText()).isEqualTo("one\ntwo");
    assertThat(messages.get(2).get("content").asText()).isEqualTo("three\n  four");
    assertThat(messages.get(4).get("content").asText()).isEqualTo("five");
  }

  @Test
  void editsQuestionsAndKeepsTheirImages() throws IOException {
    Cli run =
        chat(
            "/image " + image,
            "Describe the image.",
            "And now?",
            "/edit #1 What color is the circle?",
            save("edited.json"));
    assertThat(run.code()).as(run.err()).isZero();
    JsonNode messages = saved("edited.json");
    assertThat(messages).hasSize(2);
    assertThat(messages.get(0).get("content").get(0).get("type").asText()).isEqualTo("image_url");
    assertThat(messages.get(0).get("content").get(1).get("text").asText())
        .isEqualTo("What color is the circle?");
    assertThat(messages.get(1).get("content").asText()).contains("red");
  }

  @Test
  void answersAgainForOneToken() {
    Cli run = chat("/image " + image, "What color is the circle?", "/regen", "/stats");
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.out()).containsPattern("(\\d+) prompt tokens \\(64 of images, \\d+ kept\\)");
    var counts =
        java.util.regex.Pattern.compile("(\\d+) prompt tokens \\(64 of images, (\\d+) kept")
            .matcher(run.out());
    assertThat(counts.find()).isTrue();
    assertThat(Integer.parseInt(counts.group(1)) - Integer.parseInt(counts.group(2))).isEqualTo(1);
  }

  @Test
  void goesOnWithASavedSession() {
    Path session = directory.resolve("chat.session");
    Cli first = chat("/image " + image, "What color is the circle?", "/save " + session);
    assertThat(first.code()).as(first.err()).isZero();
    Cli second = chat("/load " + session, "What shape is it?", "/stats", "/undo", "/tokens");
    assertThat(second.code()).as(second.err()).isZero();
    assertThat(second.out()).contains("2 messages, ", "images 0 ms");
    assertThat(second.out()).contains("user ", "1 image(s)", "context: ");
  }

  @Test
  void survivesEveryFailureAndKeepsTheConversation() throws IOException {
    Path broken = Files.writeString(directory.resolve("broken.png"), "not an image");
    Path text = Files.writeString(directory.resolve("broken.session"), "not a session");
    Path json = Files.writeString(directory.resolve("broken.json"), "[{");
    Cli run =
        chat(
            "Hello",
            "/nonsense",
            "/image /no/such/file.png",
            "/image " + broken,
            broken + " what is it?",
            "/load " + text,
            "/load " + json,
            "/load /no/such.session",
            "/save /no/such/directory/x.session",
            "/set temp hot",
            "/set n -5",
            "/set nonsense 1",
            "/edit #7 x",
            "/edit",
            "/undo now",
            "/undo",
            "word ".repeat(6000),
            "Again",
            save("survived.json"));
    assertThat(run.code()).isEqualTo(1); // because lines of a pipe failed
    assertThat(run.err().lines().filter(l -> l.contains("error")).count()).isGreaterThan(12);
    assertThat(run.err())
        .contains("-n: expected at least -1, found -5")
        .doesNotContain("\tat ")
        .doesNotContain("unexpected");
    assertThat(saved("survived.json")).hasSize(2);
    assertThat(saved("survived.json").get(0).get("content").asText()).isEqualTo("Again");
  }

  @Test
  void tellsItsCommandsAndTokens() {
    Cli run = chat("/help", "/tokens red circle");
    assertThat(run.code()).as(run.err()).isZero();
    for (String command :
        "/image /clear /undo /regen /edit /save /load /system /set /stats /tokens /help"
            .split(" ")) {
      assertThat(run.out()).contains(command);
    }
    assertThat(run.out()).contains(" tokens");
  }

  @Test
  void forgetsTheOldestTurnsWhenToldTo() {
    String[] lines =
        Stream.iterate(0, i -> i + 1)
            .limit(12)
            .map(i -> "word ".repeat(20) + i)
            .toArray(String[]::new);
    Cli run =
        Cli.runWithInput(
            String.join("\n", lines) + "\n",
            "chat",
            "-t",
            1,
            "--temp",
            0,
            "-n",
            12,
            "-c",
            256,
            "--context-full",
            "evict");
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.err()).contains("oldest messages are forgotten");
  }
}
