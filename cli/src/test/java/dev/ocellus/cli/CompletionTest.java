package dev.ocellus.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.cli.terminal.Io;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The scripts in the shells that they are for. */
@Timeout(120)
class CompletionTest {
  /** Words as bash hands them to a completion function; the last one is to be completed. */
  private static final String ASK_BASH =
      """
      source "$1"; shift
      compopt() { :; } # which bash allows only where it completes by itself
      COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 ))
      _complete_ocellus
      printf '%s\\n' "${COMPREPLY[@]}"
      """;

  /** A zsh at a terminal: types, presses Tab, and has the line written to a file. */
  private static final String ASK_ZSH =
      """
      rm -f "$3"
      zmodload zsh/zpty
      export TERM=xterm
      zpty shell zsh -f -i
      zpty -w shell "PS1='' ; source '$1' ; show() { print -rn -- \\"\\$BUFFER\\" > '$3' ; print SHO''WN }"
      zpty -w shell "zle -N show ; bindkey '^Xs' show ; bindkey '^I' complete-word ; print REA''DY"
      zpty -r shell seen '*READY*'
      zpty -n -w shell "$2"$'\\t\\C-Xs'
      zpty -r shell seen '*SHOWN*'
      zpty -d shell
      cat "$3"
      """;

  @TempDir Path directory;

  private Path script(String shell) throws Exception {
    Cli run = Cli.run("completion", shell);
    assertThat(run.code()).isZero();
    assertThat(run.err()).isEmpty();
    return Files.writeString(directory.resolve("ocellus." + shell), run.out());
  }

  private List<String> bash(String... words) throws Exception {
    Tool.need("bash");
    List<String> command = new ArrayList<>(List.of("bash", "--norc", "--noprofile", "-c"));
    command.addAll(List.of(ASK_BASH, "bash", script("bash").toString()));
    command.addAll(List.of(words));
    Tool run = Tool.run(directory, command.toArray(String[]::new));
    assertThat(run.err()).isEmpty();
    return run.out().lines().toList();
  }

  private String zsh(String line) throws Exception {
    Tool.need("zsh");
    Path answer = directory.resolve("line");
    Tool run =
        Tool.run(
            directory,
            "zsh",
            "-f",
            "-c",
            ASK_ZSH,
            "zsh",
            script("zsh").toString(),
            line,
            answer.toString());
    assertThat(run.code()).as(run.err()).isZero();
    return run.out();
  }

  private List<String> fish(String line) throws Exception {
    Tool.need("fish");
    Tool run =
        Tool.run(
            directory,
            "fish",
            "--no-config",
            "-c",
            "source $argv[1]; complete -C $argv[2]",
            script("fish").toString(),
            line);
    assertThat(run.err()).isEmpty();
    return run.out().lines().map(found -> found.split("\t")[0]).toList();
  }

  @Test
  void bashCompletesCommandsOptionsValuesAndFiles() throws Exception {
    Cli.redCircle(directory);
    assertThat(bash("ocellus", "des")).containsExactly("describe");
    assertThat(bash("ocellus", "chat", "--flash")).containsExactly("--flash-attn");
    assertThat(bash("ocellus", "chat", "--flash-attn", "")).containsExactly("on", "off", "auto");
    assertThat(bash("ocellus", "chat", "-ctk", "q8")).containsExactly("q8_0");
    assertThat(bash("ocellus", "chat", "--color", "al")).containsExactly("always");
    assertThat(bash("ocellus", "completion", "z")).containsExactly("zsh");
    assertThat(bash("ocellus", "models", "ver")).containsExactly("verify");
    assertThat(bash("ocellus", "quantize", "a.gguf", "Q4_K")).contains("Q4_K_S", "Q4_K_M");
    assertThat(bash("ocellus", "chat", "--image", "red")).containsExactly("red circle.png");
    assertThat(bash("ocellus", "describe", "red")).containsExactly("red circle.png");
    assertThat(bash("ocellus", "devices", "--no-such")).containsExactly("");
  }

  @Test
  void zshCompletesCommandsOptionsValuesAndFiles() throws Exception {
    Cli.redCircle(directory);
    assertThat(zsh("ocellus des")).isEqualTo("ocellus describe ");
    assertThat(zsh("ocellus chat --flash")).isEqualTo("ocellus chat --flash-attn ");
    assertThat(zsh("ocellus chat --flash-attn of")).isEqualTo("ocellus chat --flash-attn off ");
    assertThat(zsh("ocellus chat -ctk q8")).isEqualTo("ocellus chat -ctk q8_0 ");
    assertThat(zsh("ocellus models ver")).isEqualTo("ocellus models verify ");
    assertThat(zsh("ocellus describe red")).isEqualTo("ocellus describe red\\ circle.png ");
    assertThat(zsh("ocellus chat --image red")).isEqualTo("ocellus chat --image red\\ circle.png ");
  }

  @Test
  void fishCompletesCommandsOptionsValuesAndFiles() throws Exception {
    Cli.redCircle(directory);
    assertThat(fish("ocellus des")).containsExactly("describe");
    assertThat(fish("ocellus chat --flash")).containsExactly("--flash-attn");
    assertThat(fish("ocellus chat --flash-attn "))
        .contains("on", "off", "auto")
        .doesNotContain("chat");
    assertThat(fish("ocellus chat -ctk q8")).containsExactly("q8_0");
    assertThat(fish("ocellus chat -")).contains("-ctk", "-ctv", "-m", "--model");
    assertThat(fish("ocellus models ver")).containsExactly("verify");
    assertThat(fish("ocellus describe red")).containsExactly("red circle.png");
    assertThat(fish("ocellus chat --image red")).containsExactly("red circle.png");
    assertThat(fish("ocellus devices red")).isEmpty();
  }

  @Test
  void everyCommandAndOptionIsInEveryScript() throws Exception {
    var program = Ocellus.whole(Io.ofProcess());
    String bash = Cli.run("completion", "bash").out();
    String fish = Cli.run("completion", "fish").out();
    assertThat(program.getSubcommands()).hasSizeGreaterThan(30);
    program
        .getSubcommands()
        .forEach((name, command) -> {
          assertThat(bash).contains("function _picocli_ocellus_" + name.replace("-", "") + "(");
          assertThat(fish).contains("-a " + name + " ");
          command.getCommandSpec().options().stream()
              .filter(option -> option.longestName().startsWith("--"))
              .forEach(option -> {
                assertThat(bash).contains(option.longestName());
                assertThat(fish).contains("-l " + option.longestName().substring(2));
              });
        });
  }

  @Test
  void printsJsonAndRefusesOtherShells() {
    assertThat(Cli.run("completion", "fish", "--json").json().get("script").asText())
        .isEqualTo(Cli.run("completion", "fish").out());
    Cli run = Cli.run("completion", "ksh");
    assertThat(run.code()).isEqualTo(2);
    assertThat(run.err()).contains("ksh", "bash, zsh, fish");
    assertThat(Cli.run("completion").code()).isEqualTo(2);
  }
}
