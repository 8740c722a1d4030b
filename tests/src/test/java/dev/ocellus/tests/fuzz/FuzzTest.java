package dev.ocellus.tests.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A short run in this JVM; the command runs for as long as one likes. */
class FuzzTest {
  @TempDir private Path folder;

  @Test
  void damagedTextModelsAreSurvived() throws IOException {
    var starts = Case.starts(List.of(), "text", folder);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    Worker worker =
        new Worker(starts, folder, 60_000, new PrintStream(out, true, StandardCharsets.UTF_8));
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    int wrong = worker.run(7, 0, 150, deadline);
    String report = out.toString(StandardCharsets.UTF_8);
    assertThat(wrong).as(report).isZero();
    assertThat(report).contains("text: ok", "text: LlamaException", "text: GgufFormatException");
  }

  @Test
  void damagedCheckpointsAreSurvived() throws IOException {
    var starts = Case.starts(List.of(), "convert", folder);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    Worker worker =
        new Worker(starts, folder, 60_000, new PrintStream(out, true, StandardCharsets.UTF_8));
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    int wrong = worker.run(7, 0, 300, deadline);
    String report = out.toString(StandardCharsets.UTF_8);
    assertThat(wrong).as(report).isZero();
    assertThat(report)
        .contains("convert: ok", "convert: ConversionException", "convert: Safetensors");
  }

  /** More of them with {@code -Docellus.fuzz.sessions=N}. */
  @Test
  void changedSessionsAreSurvived() throws IOException {
    List<Path> models =
        List.of(
            Path.of("golden/models/qwen2.5-vl"),
            Path.of("golden/models/smolvlm2"),
            Path.of("golden/models/gemma3"));
    var starts = Case.starts(models, "session", folder);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    Worker worker =
        new Worker(starts, folder, 60_000, new PrintStream(out, true, StandardCharsets.UTF_8));
    int n = Integer.getInteger("ocellus.fuzz.sessions", 300);
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(Math.max(600, n / 10));
    int wrong = worker.run(7, 0, n, deadline);
    String report = out.toString(StandardCharsets.UTF_8);
    assertThat(wrong).as(report).isZero();
    assertThat(report)
        .contains("session: ok", "session: SessionFormatException", "survived " + n + " inputs");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "safetensors",
        "pickle",
        "tokenizer",
        "template",
        "messages",
        "grammar",
        "schema",
        "output",
        "vocabulary",
        "checkpoint",
        "interleave"
      })
  void otherInputIsSurvived(String target) throws IOException {
    var starts = Case.starts(List.of(), target, folder);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    Worker worker =
        new Worker(starts, folder, 60_000, new PrintStream(out, true, StandardCharsets.UTF_8));
    int n = target.equals("interleave") ? 15 : 80;
    int wrong = worker.run(7, 0, n, System.nanoTime() + TimeUnit.SECONDS.toNanos(300));
    String report = out.toString(StandardCharsets.UTF_8);
    assertThat(wrong).as(report).isZero();
    assertThat(report).contains(target + ": ok", "survived " + n + " inputs");
  }

  @Test
  void theSameNumberGivesTheSameInput() throws IOException {
    var starts = Case.starts(List.of(), "", folder);
    for (long i = 0; i < 20; i++) {
      Path first = folder.resolve("first.gguf");
      Path second = folder.resolve("second.gguf");
      Case.of(starts, 3, i).write(first);
      Case.of(starts, 3, i).write(second);
      assertThat(second).hasSameBinaryContentAs(first);
      Files.delete(first);
      Files.delete(second);
    }
  }
}
