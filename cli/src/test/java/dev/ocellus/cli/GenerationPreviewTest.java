package dev.ocellus.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.cli.terminal.ExitCode;
import dev.ocellus.cli.terminal.Io;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.codec.ImageDecoder;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Images that are shown while they are drawn. */
class GenerationPreviewTest {
  private static final String KEEP = "\u001b7";
  private static final String BACK = "\u001b8\u001b[J";
  private static final String PIXELS = "▀";

  @TempDir Path directory;

  private record Run(int code, String out, String err) {}

  private Run run(boolean terminal, Map<String, String> environment, Object... arguments) {
    var out = new ByteArrayOutputStream();
    var err = new ByteArrayOutputStream();
    Io io =
        new Io(
            new ByteArrayInputStream(new byte[0]),
            new PrintStream(out, false, StandardCharsets.UTF_8),
            new PrintStream(err, false, StandardCharsets.UTF_8),
            false,
            terminal,
            false,
            environment);
    List<String> all =
        Stream.concat(
                Stream.of("generate", "--seed", 7, "--out", directory.resolve("out.png")),
                Stream.of(arguments))
            .map(Object::toString)
            .toList();
    int code = new Ocellus(io).run(all);
    return new Run(
        code, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
  }

  private static int count(String text, String part) {
    return text.split(Pattern.quote(part), -1).length - 1;
  }

  private static final Map<String, String> COLOURS = Map.of("TERM", "xterm-256color");

  @Test
  void aTerminalShowsEachInThePlaceOfTheOneBefore() throws IOException {
    Run run = run(true, COLOURS, "--preview", "--preview-every", 16);
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(count(run.out(), KEEP)).isEqualTo(1);
    assertThat(count(run.out(), BACK)).isEqualTo(3); // the 2nd, the 3rd, the finished one
    assertThat(count(run.out(), PIXELS)).isEqualTo(4 * 32 * 16);
    byte[] shown = Files.readAllBytes(directory.resolve("out.png"));
    run(true, COLOURS);
    assertThat(Files.readAllBytes(directory.resolve("out.png"))).isEqualTo(shown);
  }

  @Test
  void eightTimesUnlessSomebodySays() {
    assertThat(count(run(true, COLOURS, "--preview").out(), BACK)).isEqualTo(7);
    assertThat(count(run(true, COLOURS, "--preview", "--count", 3).out(), BACK)).isEqualTo(7);
  }

  @Test
  void thereIsNoneWithoutATerminalThatShowsImagesOrTheOption() {
    assertThat(run(false, COLOURS, "--preview").out()).doesNotContain("\u001b");
    assertThat(run(true, Map.of("TERM", "dumb"), "--preview").out()).doesNotContain("\u001b");
    assertThat(run(true, COLOURS, "--preview", "--json").out()).doesNotContain("\u001b");
    assertThat(run(true, COLOURS).out()).doesNotContain(KEEP, BACK);
  }

  @Test
  void aFileIsReplacedAndHoldsTheFinishedImageAtLast() throws IOException {
    Path file = directory.resolve("preview.png");
    Run run = run(true, COLOURS, "--preview", file, "--json");
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.out()).doesNotContain("\u001b");
    RgbImage last = ImageDecoder.decode(file);
    RgbImage out = ImageDecoder.decode(directory.resolve("out.png"));
    assertThat(last.toByteArray()).isEqualTo(out.toByteArray());
  }

  @Test
  void whatCannotBeShownIsRefused() {
    Path folder = directory.resolve("missing/preview.png");
    Run run = run(false, COLOURS, "--preview", folder);
    assertThat(run.code()).isEqualTo(ExitCode.FAILED);
    assertThat(run.err()).contains("missing").doesNotContain("internal error");
    assertThat(run(false, COLOURS, "--preview-every", 0).code()).isEqualTo(ExitCode.USAGE);
    assertThat(run(false, COLOURS, "--gan", "--preview").err()).contains("--preview");
  }
}
