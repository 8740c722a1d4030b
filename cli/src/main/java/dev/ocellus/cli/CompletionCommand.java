package dev.ocellus.cli;

import dev.ocellus.cli.command.OcellusCommand;
import dev.ocellus.cli.command.Version;
import dev.ocellus.cli.completion.CompletionScripts;
import dev.ocellus.cli.terminal.ExitCode;
import dev.ocellus.cli.terminal.Io;
import dev.ocellus.cli.terminal.Json;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Prints a script for a shell. */
@Command(
    name = "completion",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    header = CompletionCommand.HEADER,
    description =
        "Commands, options, their values and names of files are completed. The script is printed;"
            + " the shell reads it when it starts, as the examples show.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  ocellus completion bash > ~/.local/share/bash-completion/completions/ocellus",
      "  ocellus completion zsh > ~/.ocellus.zsh        and in ~/.zshrc: source ~/.ocellus.zsh",
      "  ocellus completion fish > ~/.config/fish/completions/ocellus.fish",
      "",
      "Exit codes: 0 done, 2 wrong command line."
    })
final class CompletionCommand extends OcellusCommand {
  /** What it does, in one line. */
  static final String HEADER = "Prints a script that lets a shell complete command lines.";

  /** Shells that there is a script for. */
  enum Shell {
    bash,
    zsh,
    fish
  }

  @Parameters(paramLabel = "SHELL", description = "bash, zsh or fish.")
  Shell shell = Shell.bash;

  CompletionCommand(Io io) {
    super(io);
  }

  @Override
  protected int run() {
    CommandLine program = Ocellus.whole(io());
    String script =
        switch (shell) {
          case bash -> CompletionScripts.bash(program);
          case zsh -> CompletionScripts.zsh(program);
          case fish -> CompletionScripts.fish(program);
        };
    if (printsJson()) {
      printJson(Json.object().put("shell", shell.name()).put("script", script));
    } else {
      io().out().print(script);
    }
    return ExitCode.OK;
  }
}
