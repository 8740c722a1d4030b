package dev.ocellus.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.cli.terminal.ExitCode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code --video}, with a tiny Qwen2.5-VL and a tiny Gemma 3. */
class VideoOptionTest {
  private static final Path GOLDEN = Path.of("../tests/golden");
  private static final Path CLIP = GOLDEN.resolve("clips/square-clip");

  private static Cli run(String command, String model, Object... more) {
    Path gguf = GOLDEN.resolve("models").resolve(model).resolve("gguf");
    Object[] arguments = new Object[more.length + 10];
    Object[] first = {
      command,
      "-m",
      gguf.resolve("text.gguf"),
      "--mmproj",
      gguf.resolve("mmproj.gguf"),
      "-t",
      1,
      "-n",
      2,
      "--temp=0"
    };
    System.arraycopy(first, 0, arguments, 0, first.length);
    System.arraycopy(more, 0, arguments, first.length, more.length);
    return Cli.run(arguments);
  }

  @Test
  void asksAboutAVideo() {
    Cli cli = run("chat", "qwen2.5-vl", "--video", CLIP, "-p", "What happens?", "--json");
    assertThat(cli.code()).as(cli.err()).isZero();
    assertThat(cli.json().get("prompt").asText()).contains("<|video_pad|>");
    // five frames are three pairs of 2 x 2 tokens
    assertThat(cli.json().at("/usage/image_tokens").asInt()).isEqualTo(12);
  }

  @Test
  void showsFewerFrames() {
    Cli cli = run("describe", "qwen2.5-vl", "--video", CLIP, "--fps", 4, "--frames", 2, "--json");
    assertThat(cli.code()).as(cli.err()).isZero();
    assertThat(cli.json().get(0).get("video").asText()).endsWith("square-clip");
    assertThat(cli.json().get(0).at("/usage/image_tokens").asInt()).isEqualTo(4);
  }

  @Test
  void keepsTheChosenFramesOfASavedConversation(@TempDir Path directory) throws IOException {
    for (String name : new String[] {"a.json", "a.session"}) {
      Path file = directory.resolve(name);
      Cli first =
          repl("/video " + CLIP.toAbsolutePath(), "What happens?", "/save " + file, "/stats");
      assertThat(first.code()).as(first.err()).isZero();
      assertThat(first.out()).contains("(4 of images, 0 kept)");
      Cli second = repl("/load " + file, "/regen", "/stats");
      assertThat(second.code()).as(second.err()).isZero();
      // two frames of the five, as the first one saw them
      assertThat(second.out()).containsPattern("\\(4 of images, \\d+ kept\\)");
      Matcher kept =
          Pattern.compile("(\\d+) prompt tokens \\(4 of images, (\\d+) kept").matcher(second.out());
      assertThat(kept.find()).isTrue();
      int computed = Integer.parseInt(kept.group(1)) - Integer.parseInt(kept.group(2));
      assertThat(computed)
          .isEqualTo(name.endsWith("session") ? 1 : Integer.parseInt(kept.group(1)));
    }
  }

  private static Cli repl(String... lines) {
    Path gguf = GOLDEN.resolve("models/qwen2.5-vl/gguf");
    return Cli.runWithInput(
        String.join("\n", lines) + "\n",
        "chat",
        "-q",
        "-m",
        gguf.resolve("text.gguf"),
        "--mmproj",
        gguf.resolve("mmproj.gguf"),
        "-t",
        1,
        "-n",
        2,
        "--temp=0",
        "--frames",
        2);
  }

  @Test
  void saysWhichFamilyTakesNoVideos() {
    Cli cli = run("describe", "gemma3", "--video", CLIP);
    assertThat(cli.code()).isEqualTo(ExitCode.FAILED);
    assertThat(cli.err()).contains("gemma3").contains("take no videos").contains("frames");
  }

  @Test
  void refusesRatesAndNumbersThatAreNone() {
    assertThat(run("chat", "gemma3", "--fps", 0, "-p", "x").code()).isEqualTo(ExitCode.USAGE);
    assertThat(run("chat", "gemma3", "--frames", 0, "-p", "x").code()).isEqualTo(ExitCode.USAGE);
    assertThat(run("describe", "gemma3").code()).isEqualTo(ExitCode.USAGE);
    Cli missing = run("describe", "qwen2.5-vl", "--video", GOLDEN.resolve("clips"));
    assertThat(missing.code()).isEqualTo(ExitCode.FAILED);
    assertThat(missing.err()).contains("no images").contains("ffmpeg");
  }

  @Test
  void addsAVideoToTheNextQuestion() {
    Path gguf = GOLDEN.resolve("models/qwen2-vl/gguf");
    Cli cli =
        Cli.runWithInput(
            "/video "
                + CLIP
                + "\nWhat happens?\n/stats\n/video "
                + GOLDEN.resolve("README.md")
                + "\n",
            "chat",
            "-m",
            gguf.resolve("text.gguf"),
            "--mmproj",
            gguf.resolve("mmproj.gguf"),
            "-t",
            1,
            "-n",
            2);
    assertThat(cli.out()).contains("5 frames").contains("12 of images");
    assertThat(cli.err()).contains("README.md").contains("ffmpeg");
    assertThat(cli.code()).isEqualTo(ExitCode.FAILED);
  }
}
