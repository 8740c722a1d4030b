package dev.ocellus.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class UsageTest {
  @Test
  void listsTheVerbsWithoutArguments() {
    Cli run = Cli.run();
    assertThat(run.code()).isZero();
    assertThat(run.out()).contains("describe", "encode", "bench", "Exit codes:");
  }

  @Test
  void refusesAnUnknownPrecisionAndNamesTheKnown() {
    Cli run = Cli.run("encode", "--vision-precision", "exakt", "image.png");
    assertThat(run.code()).isEqualTo(2);
    assertThat(run.err()).contains("exact, stored, bf16, q8_0 or fast, found 'exakt'");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "chat",
        "describe",
        "encode",
        "embed",
        "classify",
        "match",
        "reconstruct",
        "generate",
        "score",
        "tokenize",
        "template",
        "inspect",
        "convert",
        "quantize",
        "imatrix",
        "perplexity",
        "compare",
        "edit",
        "split",
        "merge",
        "hash",
        "diff",
        "devices",
        "bench",
        "completion",
        "man"
      })
  void everyCommandHasHelpWithExamplesAndExitCodes(String command) {
    Cli run = Cli.run(command, "--help");
    assertThat(run.code()).isZero();
    assertThat(run.out()).contains("Examples:", "ocellus " + command, "Exit codes:", "--json");
    assertThat(run.err()).isEmpty();
  }

  @Test
  void tellsItsVersion() {
    assertThat(Cli.run("--version").out()).matches("(?s)ocellus \\d+\\.\\d+.*llama\\.cpp v.*");
  }

  @Test
  void suggestsACommand() {
    Cli run = Cli.run("descrbe", "x.png");
    assertThat(run.code()).isEqualTo(2);
    assertThat(run.err()).contains("unknown command 'descrbe'", "Did you mean: describe");
  }

  @Test
  void suggestsAnOption() {
    Cli run = Cli.run("chat", "-p", "hi", "--tmp", "1");
    assertThat(run.code()).isEqualTo(2);
    assertThat(run.err())
        .contains("unknown option --tmp", "Did you mean: --temp?", "ocellus chat --help");
    assertThat(run.out()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "chat|-p|hi|-fa|maybe|expected on, off or auto",
        "chat|-p|hi|-ctk|q99|expected a type such as f32",
        "chat|-p|hi|-ngl|some|expected a number, all or auto",
        "chat|-p|hi|--top-p|nan|top",
        "chat|-p|hi|--logit-bias|x+1|expected a token id",
        "chat|-p|hi|--samplers|bogus|expected one of",
        "chat|-p|hi|--mmproj|f.gguf|without the text model",
        "chat|-p|hi|-f|x|use one of them",
        "describe|x.png|x.png|-n|many|many",
        "bench|-r|0|-p|1|-r of 1 or more",
      })
  void refusesWrongValues(String command, String a, String b, String c, String d, String message) {
    Cli run = Cli.run(command, a, b, c, d);
    assertThat(run.code()).isEqualTo(2);
    assertThat(run.err()).contains(message).doesNotContain("\tat ");
  }

  @Test
  void needsAQuestionForJson() {
    Cli run = Cli.run("chat", "--json");
    assertThat(run.code()).isEqualTo(2);
    assertThat(run.err()).contains("--json needs a question");
  }

  @Test
  void needsOneWayToRenderATemplate() {
    assertThat(Cli.run("template").code()).isEqualTo(2);
    assertThat(Cli.run("template", "--batch", "a", "--template", "b").code()).isEqualTo(2);
  }
}
