package dev.ocellus.cli.completion;

import java.nio.file.Path;
import java.util.List;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/**
 * The scripts. That for bash and zsh is picocli's, which goes by the Java types of arguments; since
 * many arguments are texts of which a part can be completed, it is given a copy of the commands
 * whose types say what {@link ArgumentValues} found out.
 */
public final class CompletionScripts {
  private CompletionScripts() {}

  /**
   * For bash, to be sourced; zsh reads it, too, after {@code compinit}.
   *
   * @param program all commands with all their options
   */
  public static String bash(CommandLine program) {
    return AutoComplete.bash(
        program.getCommandName(), new CommandLine(simplified(program.getCommandSpec())));
  }

  /** For zsh, to be sourced. Loads what it needs of zsh's own completion where nobody has. */
  public static String zsh(CommandLine program) {
    return """
    #compdef %1$s
    if (( ! $+functions[compdef] )); then
      autoload -Uz compinit && compinit -u
    fi
    """
            .formatted(program.getCommandName())
        + bash(program);
  }

  /** For fish, to be sourced or put into its folder of completions. */
  public static String fish(CommandLine program) {
    return new FishScript(program.getCommandSpec()).text();
  }

  private static CommandSpec simplified(CommandSpec command) {
    CommandSpec copy = CommandSpec.create().name(command.name());
    for (OptionSpec option : command.options()) {
      if (!option.hidden()) {
        copy.addOption(option(option));
      }
    }
    for (PositionalParamSpec parameter : command.positionalParameters()) {
      copy.addPositional(positional(parameter));
    }
    command
        .subcommands()
        .forEach((name, line) ->
            copy.addSubcommand(name, new CommandLine(simplified(line.getCommandSpec()))));
    return copy;
  }

  private static OptionSpec option(OptionSpec option) {
    OptionSpec.Builder copy =
        OptionSpec.builder(option.names())
            .paramLabel(option.paramLabel())
            .arity(option.arity())
            .type(type(option));
    List<String> words = ArgumentValues.of(option).words();
    return words.isEmpty() ? copy.build() : copy.completionCandidates(words).build();
  }

  private static PositionalParamSpec positional(PositionalParamSpec parameter) {
    PositionalParamSpec.Builder copy =
        PositionalParamSpec.builder()
            .paramLabel(parameter.paramLabel())
            .index(parameter.index())
            .arity(parameter.arity())
            .type(type(parameter));
    List<String> words = ArgumentValues.of(parameter).words();
    return words.isEmpty() ? copy.build() : copy.completionCandidates(words).build();
  }

  /** What tells picocli how to complete an argument. */
  private static Class<?> type(ArgSpec argument) {
    if (argument.arity().max() == 0) {
      return boolean.class;
    }
    ArgumentValues values = ArgumentValues.of(argument);
    return values.words().isEmpty() && values.files() ? Path.class : String.class;
  }
}
