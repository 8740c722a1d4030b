package dev.ocellus.cli.man;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.UsageMessageSpec;

/**
 * The manual page of a command, from the same model as its help.
 *
 * <p>Written here because the generator that comes with picocli writes AsciiDoc, and a converter of
 * that brings a Ruby interpreter of 60 MB into the build.
 */
public final class ManPage {
  private final CommandSpec command;
  private final String version;

  /**
   * @param version of the program
   */
  public ManPage(CommandSpec command, String version) {
    this.command = command;
    this.version = version;
  }

  /** {@code ocellus-chat}; also the name of the file, with {@code .1} behind it. */
  public String name() {
    return command.qualifiedName("-");
  }

  /** The page, as {@code man} reads it. */
  public String text() {
    UsageMessageSpec usage = command.usageMessage();
    Roff page = new Roff();
    page.macro(
        "TH %s 1 \"\" \"%s\" \"Ocellus\""
            .formatted(
                Roff.escaped(name().toUpperCase(java.util.Locale.ROOT)), Roff.escaped(version)));
    page.section("NAME").paragraph(name() + " - " + lower(headline()));
    page.section("SYNOPSIS").verbatim(synopsis());
    List<String> description = lines(usage.description());
    if (!description.isEmpty()) {
      page.section("DESCRIPTION");
      for (String paragraph : description) {
        page.macro("PP").paragraph(paragraph);
      }
    }
    arguments(page);
    options(page);
    subcommands(page);
    ends(page);
    return page.toString();
  }

  private String headline() {
    List<String> header = lines(command.usageMessage().header());
    return header.isEmpty()
        ? lines(command.usageMessage().description()).getFirst()
        : header.getFirst();
  }

  private static String lower(String sentence) {
    boolean word = sentence.length() > 1 && Character.isLowerCase(sentence.charAt(1));
    String text =
        word ? Character.toLowerCase(sentence.charAt(0)) + sentence.substring(1) : sentence;
    return text.endsWith(".") ? text.substring(0, text.length() - 1) : text;
  }

  private List<String> synopsis() {
    String[] custom = command.usageMessage().customSynopsis();
    if (custom.length > 0) {
      return lines(custom);
    }
    CommandLine.Help help =
        command
            .commandLine()
            .getHelpFactory()
            .create(command, CommandLine.Help.defaultColorScheme(Ansi.OFF));
    return help.synopsis(0).strip().lines().map(String::strip).toList();
  }

  private void arguments(Roff page) {
    if (!command.positionalParameters().isEmpty()) {
      page.section("ARGUMENTS");
      command.positionalParameters().forEach(p -> page.entry(p.paramLabel(), description(p)));
    }
  }

  private void options(Roff page) {
    page.section("OPTIONS");
    for (OptionSpec option : command.options()) {
      if (!option.hidden()) {
        String names = String.join(", ", option.names());
        boolean flag = option.arity().max() == 0;
        page.entry(flag ? names : names + " " + option.paramLabel(), description(option));
      }
    }
  }

  private void subcommands(Roff page) {
    if (command.subcommands().isEmpty()) {
      return;
    }
    page.section("COMMANDS");
    command
        .subcommands()
        .forEach((name, line) ->
            page.entry(
                command.name() + "-" + name + "(1)",
                String.join(" ", lines(line.getCommandSpec().usageMessage().header()))));
  }

  /** Exit codes and examples, which the footer of a command has. */
  private void ends(Roff page) {
    UsageMessageSpec usage = command.usageMessage();
    if (!usage.exitCodeList().isEmpty()) {
      page.section("EXIT STATUS");
      usage.exitCodeList().forEach((code, meaning) -> page.entry(code, plain(meaning)));
    }
    List<String> examples = new ArrayList<>(lines(usage.footer()));
    List<String> codes = examples.stream().filter(line -> line.startsWith("Exit codes:")).toList();
    examples.removeAll(codes);
    if (!examples.isEmpty()) {
      page.section("EXAMPLES").verbatim(trimmed(examples));
    }
    if (!codes.isEmpty()) {
      page.section("EXIT STATUS").paragraph(codes.getFirst().substring("Exit codes:".length()));
    }
    if (command.parent() != null) {
      page.section("SEE ALSO").macro("BR " + command.parent().name() + " (1)");
    }
  }

  private static List<String> trimmed(List<String> lines) {
    int end = lines.size();
    while (end > 0 && lines.get(end - 1).isBlank()) {
      end--;
    }
    return lines.subList(0, end);
  }

  private static String description(ArgSpec argument) {
    return lines(argument.description()).stream().collect(Collectors.joining("\n"));
  }

  private static List<String> lines(String[] texts) {
    return Arrays.stream(texts)
        .flatMap(text -> text.isEmpty() ? java.util.stream.Stream.of("") : plain(text).lines())
        .toList();
  }

  private static String plain(String text) {
    return Ansi.OFF.string(text.formatted());
  }
}
