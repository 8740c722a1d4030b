package dev.ocellus.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** {@code --video}, with a tiny Qwen2.5-VL and a tiny Gemma 3. */
class VideoOptionTest {
  private static final Path GOLDEN = Path.of("../tests/golden");
  private static final Path CLIP = GOLDEN.resolve("clips/square-clip");

  private static Cli run(String verb, String model, Object... more) {
    Path gguf = GOLDEN.resolve("models").resolve(model).resolve("gguf");
    Object[] arguments = new Object[more.length + 10];
    Object[] first = {
      verb,
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
  void listsTheFamiliesThatTakeVideos() {
    Cli cli = run("describe", "gemma3", "--video", CLIP);
    assertThat(cli.code()).isEqualTo(ExitCode.FAILED);
    assertThat(cli.err()).contains("gemma3").contains("Qwen3-VL").contains("SmolVLM2");
  }

  @Test
  void refusesRatesAndNumbersThatAreNone() {
    assertThat(run("chat", "gemma3", "--fps", 0, "-p", "x").code()).isEqualTo(ExitCode.USAGE);
    assertThat(run("chat", "gemma3", "--frames", 0, "-p", "x").code()).isEqualTo(ExitCode.USAGE);
    assertThat(run("describe", "gemma3").code()).isEqualTo(ExitCode.USAGE);
    Cli missing = run("describe", "qwen2.5-vl", "--video", GOLDEN.resolve("clips"));
    assertThat(missing.code()).isEqualTo(ExitCode.FAILED);
    assertThat(missing.err()).contains("no pictures").contains("ffmpeg");
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
    assertThat(cli.out()).contains("5 frames").contains("12 of pictures");
    assertThat(cli.err()).contains("README.md").contains("ffmpeg");
    assertThat(cli.code()).isEqualTo(ExitCode.FAILED);
  }
}
