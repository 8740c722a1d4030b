package dev.ocellus.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.cli.terminal.ExitCode;
import dev.ocellus.vlm.DemoModel;
import dev.ocellus.vlm.options.LoadOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Models by name in the commands, from a hub that has the embedded model as org/demo. */
class ModelsByNameTest {
  @TempDir static Path directory;
  private static TestHub hub;

  @BeforeAll
  static void start() throws IOException {
    LoadOptions demo = DemoModel.files();
    hub =
        TestHub.of(
            Map.of(
                "org/demo",
                Map.of(
                    "demo-Q8_0.gguf",
                    Files.readAllBytes(demo.model()),
                    "mmproj-Q8_0.gguf",
                    Files.readAllBytes(Objects.requireNonNull(demo.mmproj())))));
  }

  @AfterAll
  static void stop() {
    hub.close();
  }

  private static Cli run(Path cache, Object... arguments) {
    return hub.run(cache, arguments);
  }

  @Test
  void aModelByItsNameAnswersAsTheSameFilesDo() throws IOException {
    Path cache = directory.resolve("a");
    Path image = Cli.redCircle(directory);
    Cli named = run(cache, "describe", "-hf", "org/demo:Q8_0", "--temp", "0", image);
    assertThat(named.code()).as(named.err()).isZero();
    assertThat(named.out()).contains("circle");
    Cli again = run(cache, "describe", "-m", "hf://org/demo", "--offline", "--temp", "0", image);
    assertThat(again.out()).isEqualTo(named.out());
    Cli inspected = run(cache, "inspect", "hf://org/demo/mmproj-Q8_0.gguf", "--json");
    assertThat(inspected.code()).as(inspected.err()).isZero();
    Cli tokens = run(cache, "tokenize", "-m", "hf://org/demo", "--ids", "a circle");
    assertThat(tokens.code()).as(tokens.err()).isZero();
  }

  @Test
  void pullsListsVerifiesAndRemoves() throws IOException {
    Path cache = directory.resolve("b");
    Cli pulled = run(cache, "pull", "org/demo", "--json");
    assertThat(pulled.code()).as(pulled.err()).isZero();
    Path model = Path.of(pulled.json().get("model").asText());
    assertThat(Files.readAllBytes(model)).isEqualTo(hub.file("org/demo", "demo-Q8_0.gguf"));
    assertThat(pulled.json().get("mmproj").asText()).endsWith("mmproj-Q8_0.gguf");

    assertThat(run(cache, "models").out()).contains("hf://org/demo");
    assertThat(run(cache, "models", "show", "org/demo").out()).contains("demo-Q8_0.gguf");
    assertThat(run(cache, "models", "verify").code()).isZero();
    Files.write(model.toRealPath(), new byte[] {1});
    Cli damaged = run(cache, "models", "verify", "hf://org/demo", "--json");
    assertThat(damaged.code()).isEqualTo(ExitCode.FAILED);
    assertThat(damaged.json().get("damaged")).hasSize(1);
    assertThat(run(cache, "models", "remove", "org/demo").code()).isZero();
    assertThat(run(cache, "models", "--json").json()).isEmpty();
    assertThat(run(cache, "models", "remove", "org/demo").err()).contains("no such model");
  }

  @Test
  void saysWhatIsWrong() throws IOException {
    Path cache = directory.resolve("c");
    assertThat(run(cache, "pull", "org/none").err()).contains("org/none is not on 127.0.0.1");
    assertThat(run(cache, "pull", "org/demo:Q2_K").err()).contains("Q2_K").contains("Q8_0");
    assertThat(run(cache, "pull", "no name").code()).isEqualTo(ExitCode.FAILED);
    assertThat(run(cache, "chat", "-hf", "org/none", "-p", "hi").code()).isEqualTo(ExitCode.FAILED);
    assertThat(run(cache, "chat", "-hf", "org/demo", "--offline", "-p", "hi").err())
        .contains("nothing may be fetched");
    assertThat(run(cache, "match", "--image", Cli.redCircle(directory), "--text", "x").code())
        .isEqualTo(ExitCode.USAGE);
    assertThat(run(cache, "models", "show").code()).isEqualTo(ExitCode.USAGE);
    assertThat(cache).doesNotExist();
  }

  @Test
  void helpFetchesNothing() {
    Cli help = run(directory.resolve("d"), "chat", "-hf", "org/none", "--help");
    assertThat(help.code()).isZero();
  }
}
