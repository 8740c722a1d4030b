package dev.ocellus.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConvertTest {
  private static final Path CHECKPOINT = Path.of("../tests/golden/models/smolvlm/hf");

  @TempDir Path directory;

  @Test
  void writesBothFilesAndTellsOfThem() {
    Path out = directory.resolve("small.gguf");
    Cli run = Cli.run("convert", CHECKPOINT, "-o", out, "--outtype", "q8_0", "--json");
    assertThat(run.code()).as(run.err()).isZero();
    JsonNode files = run.json().get("files");
    assertThat(files.findValuesAsText("kind")).containsExactly("text", "mmproj");
    assertThat(files.get(0).get("architecture").asText()).isEqualTo("llama");
    assertThat(files.get(0).get("tensor_types").get("q8_0").asInt()).isPositive();
    assertThat(files.get(1).get("path").asText()).endsWith("mmproj-small.gguf");
    assertThat(Cli.run("inspect", "--json", out).json().get("file_type").asText())
        .isEqualTo("Q8_0");
  }

  @Test
  void writesOnlyWhatIsAskedFor() throws IOException {
    Cli run = Cli.run("convert", CHECKPOINT, "--mmproj", "--outdir", directory.resolve("new"));
    assertThat(run.code()).as(run.err()).isZero();
    try (var files = Files.list(directory.resolve("new"))) {
      assertThat(files.map(p -> p.getFileName().toString())).containsExactly("mmproj-hf-BF16.gguf");
    }
    assertThat(run.out()).contains("mmproj (clip), BF16, 0.1 M parameters");
  }

  @Test
  void refusesWhatDoesNotGoTogether() {
    assertThat(Cli.run("convert", CHECKPOINT, "--mmproj", "--no-mmproj").code()).isEqualTo(2);
    assertThat(Cli.run("convert", CHECKPOINT, "-o", "a.gguf", "--outdir", "b").code()).isEqualTo(2);
    Cli run = Cli.run("convert", CHECKPOINT, "--outtype", "q4_k");
    assertThat(run.code()).isEqualTo(2);
    assertThat(run.err()).contains("expected f32, f16, bf16, q8_0 or auto, found 'q4_k'");
  }

  @Test
  void saysWhatIsMissing() {
    Cli none = Cli.run("convert", directory.resolve("none"));
    assertThat(none.code()).isEqualTo(1);
    assertThat(none.err()).contains("no such folder");
    Cli empty = Cli.run("convert", directory);
    assertThat(empty.code()).isEqualTo(1);
    assertThat(empty.err()).contains("no config.json").doesNotContain("\tat ");
  }

  @Test
  void runsACheckpointAsItIs() throws IOException {
    String before = System.getProperty("ocellus.cache.dir");
    System.setProperty("ocellus.cache.dir", directory.toString());
    try {
      Path image = Cli.redCircle(directory);
      String[] question = {
        "chat", "-t", "1", "-m", CHECKPOINT.toString(), "-n", "4", "--ignore-eos", "--temp", "0"
      };
      Object[] arguments =
          java.util.stream.Stream.concat(
                  java.util.Arrays.stream(question),
                  java.util.stream.Stream.of("--image", image.toString(), "-p", "What?", "--json"))
              .toArray();
      Cli first = Cli.run(arguments);
      assertThat(first.code()).as(first.err()).isZero();
      assertThat(first.err()).contains("converting");
      assertThat(first.json().get("usage").get("image_tokens").asInt()).isPositive();
      Cli second = Cli.run(arguments);
      assertThat(second.err()).doesNotContain("converting");
      assertThat(second.json().get("tokens")).isEqualTo(first.json().get("tokens"));
    } finally {
      if (before == null) {
        System.clearProperty("ocellus.cache.dir");
      } else {
        System.setProperty("ocellus.cache.dir", before);
      }
    }
  }
}
