package dev.ocellus.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.cli.terminal.Io;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

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

  /** Before a model is loaded. */
  @ParameterizedTest
  @CsvSource({"-c,-1", "-c,2147483647", "-b,0", "-ub,-5", "-t,0", "-t,100000", "-tb,-1"})
  void refusesNumbersThatNoContextTakes(String option, String value) {
    Cli run = Cli.run("bench", option, value);
    assertThat(run.code()).isEqualTo(2);
    assertThat(run.err()).contains(option + ": expected", "found " + value);
  }

  /** Before anything is read. */
  @Test
  void refusesToWriteTheTextsOfTwoFilesToOne() {
    Cli run = Cli.run("ocr", "-m", "x.gguf", "--outdir", "texts", "a/page.png", "b/page.png");
    assertThat(run.code()).isEqualTo(2);
    assertThat(run.err()).contains("--outdir", "a/page.png and b/page.png", "texts");
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

  @Test
  void takesNoOptionOfAnotherCommandForAValue() {
    Cli run = Cli.run("embed", "--text", "hello", "--temp", "x");
    assertThat(run.code()).isEqualTo(2);
    assertThat(run.err())
        .contains(
            "unknown option --temp\n",
            "It is an option of: chat, describe",
            "If it is meant as a value of --text, write --text=--temp.",
            "ocellus embed --help");
    assertThat(run.out()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "embed|--image|a.png|--txt|--text",
        "embed|--text|--txet|a|--text",
        "embed|--text|a|--jsno|--json",
        "embed|--text|a|--modle=x.gguf|--model",
        "classify|--label|a|--templte|--template",
        "match|--text|a|--imag|--image",
        "describe|--stop|--sedd|1|--seed",
        "chat|--reverse-prompt|--tmep|1|--temp",
        "generate|--preview|--sed|1|--seed",
        "describe|a.png|--jsno|b.png|--json",
        "ocr|a.png|b.png|--jsno|--json",
      })
  void takesNoMistypedOptionForAValue(String command, String a, String b, String c, String meant) {
    Cli run = Cli.run(command, a, b, c);
    String typed = b.startsWith("--") ? b : c.startsWith("--") ? c : a;
    assertThat(run.code()).isEqualTo(2);
    assertThat(run.err()).contains("unknown option " + typed, "Did you mean: " + meant);
  }

  @Test
  void everyOptionWithAnOpenNumberOfValuesEndsAtAnUnknownOne() {
    var io =
        new Io(
            InputStream.nullInputStream(), System.out, System.err, false, false, false, Map.of());
    List<String> swallowed = new ArrayList<>();
    int n = 0;
    for (Map.Entry<String, CommandLine> command : Ocellus.whole(io).getSubcommands().entrySet()) {
      for (var option : command.getValue().getCommandSpec().options()) {
        if (option.isMultiValue() || option.arity().min() < option.arity().max()) {
          n++;
          Cli run = Cli.run(command.getKey(), option.longestName(), "--no-such-option");
          if (run.code() != 2 || !run.err().contains("unknown option --no-such-option")) {
            swallowed.add(command.getKey() + " " + option.longestName() + ": " + run.err());
          }
        }
      }
    }
    assertThat(swallowed).isEmpty();
    assertThat(n).isGreaterThan(15);
  }

  @Test
  void takesValuesThatOnlyBeginLikeOptions() {
    Cli run =
        Cli.run(
            "embed",
            "--json",
            "--text=--temp",
            "-- a dash",
            "-5",
            "-0.5 degrees",
            "-ни",
            "-",
            "--text=-x");
    assertThat(run.err()).doesNotContain("error");
    List<String> inputs = new ArrayList<>();
    run.json().get("vectors").forEach(vector -> inputs.add(vector.get("input").asText()));
    assertThat(inputs)
        .containsExactly("--temp", "-- a dash", "-5", "-0.5 degrees", "-ни", "-", "-x");
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
        "bench|--repetitions|0|-p|1|--repetitions: expected at least 1, found 0",
        "chat|-p|hi|-ngl|-2|expected a number, all or auto",
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
