package dev.ocellus.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.cli.terminal.ExitCode;
import dev.ocellus.vlm.DemoModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What reconstruct, generate and score refuse, each with a message that helps. */
class GenerationInputTest {
  @TempDir Path directory;

  private static void refuses(int code, String message, Object... arguments) {
    Cli run = Cli.run(arguments);
    assertThat(run.err()).contains(message).doesNotContain("\tat ", "internal error");
    assertThat(run.out()).isEmpty();
    assertThat(run.code()).isEqualTo(code);
  }

  private static void fails(String message, Object... arguments) {
    refuses(ExitCode.FAILED, message, arguments);
  }

  private static void isWrong(String message, Object... arguments) {
    refuses(ExitCode.USAGE, message, arguments);
  }

  @Test
  void modelsThatMakeImagesInPlaceOfOthers() throws IOException {
    Path image = Cli.redCircle(directory);
    String vq = "a VQ model";
    fails(vq, "chat", "-p", "hi", "-m", DemoModel.vq());
    fails(vq, "describe", "-m", DemoModel.vq(), image);
    fails(vq, "embed", "-m", DemoModel.vq(), "--image", image);
    fails(vq, "classify", "-m", DemoModel.vq(), "--image", image, "--label", "cat", "dog");
    fails(vq, "serve", "-m", DemoModel.vq());
    fails(vq, "chat", "-p", "hi", "-m", Models.text(), "--mmproj", DemoModel.vq());
    fails("(GAN)", "chat", "-p", "hi", "-m", DemoModel.gan());
  }

  @Test
  void otherModelsInPlaceOfThoseThatMakeImages() throws IOException {
    Path image = Cli.redCircle(directory);
    fails("a text model", "reconstruct", "-m", Models.text(), image);
    fails("an image encoder", "reconstruct", "-m", Models.mmproj(), image);
    fails("a text model", "score", "-m", Models.text(), image);
    fails("(GAN)", "reconstruct", "-m", DemoModel.gan(), image);
    fails("is a generator", "score", "-m", DemoModel.gan(), image);
    fails("is a critic", "generate", "-m", DemoModel.critic());
    fails("an image encoder", "generate", "-m", Models.mmproj());
    isWrong("--generator", "generate", "-m", Models.text(), "-p", "a bird");
    fails(
        "has no head for a text model",
        "generate",
        "-p",
        "a bird",
        "-m",
        Models.text(),
        "--generator",
        DemoModel.vq());
  }

  @Test
  void memoryThatIsNotEnough() throws IOException {
    Path image = Cli.redCircle(directory);
    fails("which may take 1 MiB", "reconstruct", "--size", "1024", "--max-memory", "1", image);
    fails("(option --max-memory)", "reconstruct", "--size", "1024", "--max-memory", "1", image);
    isWrong("--max-memory", "reconstruct", "--max-memory", "0", image);
  }

  @ParameterizedTest
  @CsvSource({
    "0, expected a width and a height",
    "0x64, expected a width and a height",
    "-8, expected a width and a height",
    "100000x8, expected a width and a height",
    "60x64, multiples of 8",
    "99992x99992, needs",
    "32768x32768, needs",
  })
  void sizesThatNoModelTakes(String size, String message) throws IOException {
    Cli run = Cli.run("reconstruct", "--size=" + size, Cli.redCircle(directory));
    assertThat(run.err()).contains(message).doesNotContain("\tat ", "internal error");
    assertThat(run.code()).isNotZero();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--guidance=-1",
        "--guidance=NaN",
        "--guidance=1e9",
        "--temp=-1",
        "--temp=NaN",
        "--temp=Infinity",
        "--top-k=-1",
        "--count=0",
        "--count=65",
        "--count=-3",
        "--keep=2",
        "--keep=NaN",
        "--seed=abc",
        "--seed=99999999999999999999",
        "--to-seed=3",
        "--noise=none.npy",
        "--complete=none.png"
      })
  void settingsThatMakeNoSense(String option) {
    Cli run = Cli.run("generate", option);
    assertThat(run.err()).contains(option.substring(2, 5)).doesNotContain("\tat ", "internal");
    assertThat(run.code()).isEqualTo(ExitCode.USAGE);
  }

  @ParameterizedTest
  @ValueSource(longs = {Long.MIN_VALUE, -5, 0, Long.MAX_VALUE})
  void anySeedDraws(long seed) throws IOException {
    Path file = directory.resolve("drawn.png");
    for (String kind : new String[] {"--temp=1", "--gan"}) {
      Cli run =
          Cli.run("generate", kind, "--seed", seed, "--count", 2, "--json", "--out", file, "-q");
      assertThat(run.code()).as(run.err()).isZero();
      assertThat(run.json().get("seed").asLong()).isEqualTo(seed);
      assertThat(Files.size(file)).isPositive();
    }
  }

  @Test
  void promptsThatNameNothing() {
    fails("no class is named in ''", "generate", "-p", "");
    fails("known are", "generate", "-p", "word ".repeat(20_000));
    isWrong("has no use for it", "generate", "--gan", "-p", "a bird");
    isWrong("--guidance: the model draws classes without guidance", "generate", "--guidance=3");
    isWrong("--guidance: the model makes images of noise", "generate", "--gan", "--guidance=3");
  }

  @Test
  void criticsWithoutImages() throws IOException {
    Path empty = Files.createDirectory(directory.resolve("empty"));
    Path one = Files.createDirectory(directory.resolve("one"));
    Files.copy(Cli.redCircle(directory), one.resolve("circle.png"));
    isWrong("no images", "score", "--critic");
    isWrong("belong together", "score", "--real", one);
    isWrong("leave the images out", "score", "--real", one, "--fake", one, "red.png");
    fails("no files in this folder", "score", "--real", one, "--fake", empty);
    fails("no such file", "score", "--real", one, "--fake", directory.resolve("none"));
    Cli alone = Cli.run("score", "--real", one, "--fake", one, "--json", "-q");
    assertThat(alone.code()).as(alone.err()).isZero();
    assertThat(alone.json().get("wasserstein_1").asDouble()).isZero();
    assertThat(alone.json().has("confidence_95")).isFalse();
    assertThat(Cli.run("score", "--real", one, "--fake", one).out()).doesNotContain("NaN");
  }

  @Test
  void damagedCheckpoints() throws IOException {
    Path folder = Files.createDirectory(directory.resolve("checkpoint"));
    Path image = Cli.redCircle(directory);
    Path config = folder.resolve("config.json");
    Path source = Path.of("../tests/golden/generation/taming/hf");
    byte[] weights = Files.readAllBytes(source.resolve("model.safetensors"));
    Path file = folder.resolve("model.safetensors");
    Files.write(file, weights);
    byte[] words = Files.readAllBytes(source.resolve("config.json"));
    for (String text : new String[] {"{", "[]", "", "3"}) {
      Files.writeString(config, text);
      fails("checkpoint", "reconstruct", "-m", folder, image);
    }
    Files.write(config, Arrays.copyOf(words, words.length / 2));
    fails("config.json", "reconstruct", "-m", folder, image);
    Files.write(config, words);
    Files.write(file, Arrays.copyOf(weights, weights.length - 100));
    fails("model.safetensors", "reconstruct", "-m", folder, image);
    Files.delete(file);
    fails("checkpoint", "reconstruct", "-m", folder, image);
  }
}
