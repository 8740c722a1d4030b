package dev.ocellus.cli.command;

import dev.ocellus.cli.terminal.Io;
import picocli.CommandLine.Option;

/** Options of every command about what is printed. */
public final class OutputMixin {
  /** When to use colours. */
  enum Color {
    auto,
    always,
    never
  }

  @Option(names = "--json", description = "Print JSON for programs on standard output.")
  boolean json;

  @Option(
      names = {"-q", "--quiet"},
      description = "No notes and no progress on standard error.")
  boolean quiet;

  @Option(
      names = {"-v", "--verbose"},
      description = "Log lines of Ocellus, ggml and llama.cpp on standard error.")
  boolean verbose;

  @Option(names = "--stacktrace", description = "With an error, print where it came from.")
  boolean stacktrace;

  @Option(
      names = "--color",
      paramLabel = "WHEN",
      description =
          "Colours: auto (on a terminal, unless NO_COLOR is set), always or never. Default: auto.")
  Color color = Color.auto;

  public boolean colorOn(Io io, boolean terminal) {
    return switch (color) {
      case always -> true;
      case never -> false;
      case auto ->
          terminal
              && io.environment().getOrDefault("NO_COLOR", "").isEmpty()
              && !io.environment().getOrDefault("TERM", "").equals("dumb");
    };
  }
}
