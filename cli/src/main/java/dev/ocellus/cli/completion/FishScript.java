package dev.ocellus.cli.completion;

import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/** Completions for fish, for which picocli has none. One line tells fish of one option. */
final class FishScript {
  private final CommandSpec program;
  private final StringBuilder lines = new StringBuilder();

  FishScript(CommandSpec program) {
    this.program = program;
  }

  String text() {
    String name = program.name();
    // only the word behind the program is a command: a file may have the name of one, too
    lines.append(
        """
        # Completions of %1$s for fish
        function __%1$s_is
            set -l words (commandline -opc)
            test (count $words) -gt 1; and test $words[2] = $argv[1]
        end
        function __%1$s_begins
            test (count (commandline -opc)) -eq 1
        end
        complete -c %1$s -e
        complete -c %1$s -f
        """
            .formatted(name));
    String start = "__" + name + "_begins";
    program.options().forEach(option -> option(start, option));
    for (CommandLine line : program.subcommands().values()) {
      CommandSpec command = line.getCommandSpec();
      begin(start).append(" -a ").append(command.name());
      describe(header(command));
      String inside = "'__" + name + "_is " + command.name() + "'";
      command.positionalParameters().forEach(parameter -> positional(inside, parameter));
      command.options().forEach(option -> option(inside, option));
    }
    return lines.toString();
  }

  private StringBuilder begin(String condition) {
    return lines.append("complete -c ").append(program.name()).append(" -n ").append(condition);
  }

  private void option(String condition, OptionSpec option) {
    if (option.hidden()) {
      return;
    }
    begin(condition);
    for (String name : option.names()) {
      lines.append(' ').append(name(name));
    }
    if (option.arity().max() > 0) {
      values(option);
    }
    describe(option.description().length == 0 ? "" : option.description()[0]);
  }

  /** {@code --model}, {@code -m}, and {@code -ngl}, which fish calls the old style. */
  private static String name(String name) {
    if (name.startsWith("--")) {
      return "-l " + name.substring(2);
    }
    return (name.length() == 2 ? "-s " : "-o ") + name.substring(1);
  }

  private void positional(String condition, PositionalParamSpec parameter) {
    ArgumentValues values = ArgumentValues.of(parameter);
    if (values.files() || !values.words().isEmpty()) {
      begin(condition);
      values(parameter);
      lines.append('\n');
    }
  }

  private void values(ArgSpec argument) {
    ArgumentValues values = ArgumentValues.of(argument);
    lines.append(argument.isOption() ? " -r" : "").append(values.files() ? " -F" : " -f");
    if (!values.words().isEmpty()) {
      lines.append(" -a ").append(quoted(String.join(" ", values.words())));
    }
  }

  private void describe(String description) {
    String text = Ansi.OFF.string(description.formatted());
    int end = text.indexOf(". ");
    String sentence = (end < 0 ? text : text.substring(0, end)).strip();
    if (sentence.endsWith(".")) {
      sentence = sentence.substring(0, sentence.length() - 1);
    }
    if (!sentence.isEmpty()) {
      lines.append(" -d ").append(quoted(sentence.replace('\n', ' ')));
    }
    lines.append('\n');
  }

  private static String header(CommandSpec command) {
    String[] header = command.usageMessage().header();
    return header.length == 0 ? "" : header[0];
  }

  private static String quoted(String text) {
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'";
  }
}
