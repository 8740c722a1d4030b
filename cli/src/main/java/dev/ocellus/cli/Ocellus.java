package dev.ocellus.cli;

import dev.ocellus.cli.command.ErrorHandling;
import dev.ocellus.cli.command.OpenValues;
import dev.ocellus.cli.command.OutputMixin;
import dev.ocellus.cli.command.Version;
import dev.ocellus.cli.options.ImageSource;
import dev.ocellus.cli.terminal.ExitCode;
import dev.ocellus.cli.terminal.Io;
import dev.ocellus.cli.terminal.OutputClosedException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.Writer;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Model.CommandSpec;

/** The command line program with its commands. */
public final class Ocellus {
  /** What is run without a command. */
  @Command(
      name = "ocellus",
      mixinStandardHelpOptions = true,
      versionProvider = Version.class,
      description = "Vision-language models on the JVM.",
      synopsisSubcommandLabel = "COMMAND",
      exitCodeListHeading = "%nExit codes:%n",
      exitCodeList = {
        "0:done",
        "1:failed: a file, a model or the machine is not as needed; the message says what to do",
        "2:the command line is wrong",
        "130:ended by Ctrl-C",
        "141:nobody reads the output any more"
      },
      footerHeading = "%nExamples:%n",
      footer = {
        "  ocellus describe docs/pictures/red-circle.png",
        "  ocellus chat -m model.gguf --mmproj mmproj.gguf",
        "  ocellus search docs/pictures a red circle",
        "  ocellus COMMAND --help",
        "",
        "Without -m, a tiny embedded demo model answers, which knows only drawn shapes."
      })
  static final class Root implements Runnable {
    private final Io io;

    Root(Io io) {
      this.io = io;
    }

    @Override
    public void run() {
      Ocellus program = new Ocellus(io);
      CommandLine all = program.commandLine(List.of(), new StringWriter());
      all.usage(io.out(), program.colors(io.outTerminal()));
    }
  }

  private final Io io;
  private final ErrorHandling errors;

  /** A program on these streams. */
  Ocellus(Io io) {
    this.io = io;
    this.errors = new ErrorHandling(io, () -> whole(io));
  }

  /** Runs one command line; returns the exit code. */
  int run(List<String> arguments) {
    try {
      // picocli prints help itself, and takes a closed output for a mistake of the program
      StringWriter help = new StringWriter();
      int code = commandLine(arguments, help).execute(arguments.toArray(String[]::new));
      io.out().print(help);
      io.out().flush();
      io.err().flush();
      return code;
    } catch (OutputClosedException e) {
      return errors.outputClosed(e);
    } catch (OutOfMemoryError e) {
      io.err()
          .println(
              "ocellus: error: out of memory: %s. Give Java more, for example OCELLUS_JAVA_OPTS=-Xmx4g."
                  .formatted(e.getMessage()));
      io.err().flush();
      return ExitCode.FAILED;
    }
  }

  /**
   * The command that the arguments begin with, or all, of which only those that are named somewhere
   * have options.
   */
  private CommandLine commandLine(List<String> arguments, Writer out) {
    CommandLine line = new CommandLine(new Root(io));
    if (!arguments.isEmpty() && Commands.names().contains(arguments.getFirst())) {
      String name = arguments.getFirst();
      line.addSubcommand(name, Commands.create(name, io));
    } else {
      for (String name : Commands.names()) {
        line.addSubcommand(
            name, arguments.contains(name) ? Commands.create(name, io) : headerOnly(name));
      }
    }
    return configured(line, out);
  }

  /** All commands with all their options: to be described, not to be run. */
  public static CommandLine whole(Io io) {
    CommandLine line = new CommandLine(new Root(io));
    Commands.names().forEach(name -> line.addSubcommand(name, Commands.create(name, io)));
    return new Ocellus(io).configured(line, new StringWriter());
  }

  private CommandLine configured(CommandLine line, Writer out) {
    for (CommandLine command : line.getSubcommands().values()) {
      CommandSpec spec = command.getCommandSpec();
      spec.usageMessage().abbreviateSynopsis(true).sortOptions(false);
      spec.preprocessor(new OpenValues());
    }
    line.registerConverter(ImageSource.class, ImageSource::new);
    return line.setOut(new PrintWriter(out))
        .setErr(writer(io.err()))
        .setColorScheme(colors(io.outTerminal()))
        .setExpandAtFiles(false) // @ starts a file name in llama.cpp's options, and may in texts
        .setPosixClusteredShortOptionsAllowed(false) // -ngl is one option
        .setOverwrittenOptionsAllowed(true) // the last one counts, as in llama.cpp
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setUsageHelpAutoWidth(false)
        .setUsageHelpWidth(100)
        .setParameterExceptionHandler(errors::usage)
        .setExecutionExceptionHandler(errors::failure);
  }

  private static CommandSpec headerOnly(String name) {
    CommandSpec spec = CommandSpec.create().name(name);
    spec.usageMessage().header(Commands.header(name));
    return spec;
  }

  private static PrintWriter writer(PrintStream stream) {
    return new PrintWriter(stream, true, stream.charset());
  }

  private Help.ColorScheme colors(boolean terminal) {
    boolean on = new OutputMixin().colorOn(io, terminal);
    return Help.defaultColorScheme(on ? Ansi.ON : Ansi.OFF);
  }
}
