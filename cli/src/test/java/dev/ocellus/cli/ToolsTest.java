package dev.ocellus.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.ocellus.cli.terminal.ExitCode;
import dev.ocellus.cli.terminal.Io;
import dev.ocellus.cli.terminal.OutputClosedException;
import dev.ocellus.vlm.npy.NpyArray;
import dev.ocellus.vlm.npy.NpyFile;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ToolsTest {
  @TempDir Path directory;

  @Test
  void writesEmbeddingsAndPixels() throws IOException {
    Path circle = Cli.redCircle(directory);
    Path out = directory.resolve("made/by it");
    Cli run = Cli.run("encode", "-q", "--pixels", "-t", 1, "--out", out, circle, circle);
    assertThat(run.code()).as(run.err()).isZero();
    JsonNode image = run.json().get("images").get(1);
    assertThat(image.get("index").asInt()).isEqualTo(1);
    assertThat(image.get("tokens").asInt()).isEqualTo(64);
    assertThat(image.get("grid").toString()).isEqualTo("[1,1]");
    assertThat(image.get("encode_ms").asDouble()).isPositive();
    NpyArray embeddings = NpyFile.read(Path.of(image.get("embeddings").asText()));
    NpyArray pixels = NpyFile.read(Path.of(image.get("pixels").asText()));
    assertThat(embeddings.shape()).containsExactly(64, image.get("width").asInt());
    assertThat(pixels.shape()).containsExactly(1, 3, 96, 96);
    // the corner is white and the centre red: 1 and 0 before CLIP's mean and deviation
    float[] values = pixels.floats();
    assertThat(values[0]).isCloseTo((1 - 0.48145467f) / 0.26862954f, within(1e-5f));
    int center = 96 * 48 + 48;
    assertThat(values[96 * 96 + center]).isCloseTo((0 - 0.45782751f) / 0.2613026f, within(1e-5f));
    assertThat(out.resolve("0.embeddings.npy"))
        .hasSameBinaryContentAs(out.resolve("1.embeddings.npy"));
  }

  @Test
  void inspectsAFile() throws IOException {
    Path model = Models.text();
    assertThat(Cli.run("inspect", model).out()).contains("llama", "Tensors");
    assertThat(Cli.run("inspect", "--json", model).json().get("architecture").asText())
        .isEqualTo("llama");
  }

  @Test
  void tellsTheDevices() {
    JsonNode json = Cli.run("devices", "--json").json();
    assertThat(json.get("devices").findValuesAsText("kind")).contains("cpu");
    assertThat(json.get("native").get("llama_cpp").asText()).startsWith("0.4");
    assertThat(Cli.run("devices").out()).contains("CPU", "physical cores");
  }

  @Test
  void rendersAnyTemplateExactly() throws IOException {
    Path template =
        Files.writeString(
            directory.resolve("t.jinja"), "{{ a }}é{{ strftime_now('%H:%M') }}{{ n }}");
    Path context = Files.writeString(directory.resolve("c.json"), "{\"a\": \"x\", \"n\": 1.0}");
    Cli run =
        Cli.run(
            "template",
            "--template",
            template,
            "--context",
            context,
            "--now",
            "2025-07-26T12:34:56");
    assertThat(run.out()).isEqualTo("xé12:341.0");
  }

  @Test
  void rendersABatchWithALineForEach() throws IOException {
    String batch =
        """
        {"template": "{{ x }}{{ strftime_now('%Y') }}", "context": {"x": "\\ud83d\\ude00"}, "now": "2025-07-26T12:34:56"}
        {"template": "{{ x", "context": {}}
        {"template": "{{ raise_exception('no') }}", "context": {}}
        {"template": 1}
        [
        """;
    Path file = Files.writeString(directory.resolve("batch.jsonl"), batch);
    Cli run = Cli.run("template", "--batch", file);
    assertThat(run.code()).isZero();
    List<String> lines = run.out().lines().toList();
    assertThat(lines).hasSize(5);
    ObjectMapper mapper = new ObjectMapper();
    assertThat(mapper.readTree(lines.get(0)).get("output").asText()).isEqualTo("😀2025");
    for (String line : lines.subList(1, 5)) {
      assertThat(mapper.readTree(line).get("error").asText()).isNotEmpty();
    }
    assertThat(lines.get(2)).contains("no");
  }

  @Test
  void endsQuietlyWhenNobodyReads() {
    for (String[] arguments : new String[][] {{"devices"}, {"chat", "--help"}, {"--help"}, {}}) {
      var err = new ByteArrayOutputStream();
      assertThat(runWithoutOutput("Broken pipe", err, arguments)).isEqualTo(ExitCode.OUTPUT_CLOSED);
      assertThat(err.toString(StandardCharsets.UTF_8)).isEmpty();
    }
  }

  @Test
  void saysThatTheDiskIsFull() {
    for (String[] arguments : new String[][] {{"devices"}, {"chat", "--help"}}) {
      var err = new ByteArrayOutputStream();
      assertThat(runWithoutOutput("No space left on device", err, arguments))
          .isEqualTo(ExitCode.FAILED);
      assertThat(err.toString(StandardCharsets.UTF_8)).containsOnlyOnce("No space left on device");
    }
  }

  private static int runWithoutOutput(String why, OutputStream err, String... arguments) {
    OutputStream broken =
        new OutputStream() {
          @Override
          public void write(int b) throws IOException {
            throw new IOException(why);
          }
        };
    Io io =
        new Io(
            System.in,
            new PrintStream(
                new OutputClosedException.Detector(broken, -1), false, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8),
            false,
            false,
            false,
            Map.of());
    return new Ocellus(io).run(List.of(arguments));
  }
}
