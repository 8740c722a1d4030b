package dev.ocellus.cli;

import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.Writer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help;
import picocli.CommandLine.Help.Ansi;

/** The command line program with its commands. */
public final class Ocellus {
  /** Every command; made only when it is needed, because building all their options takes time. */
  private static final Map<String, Function<Io, OcellusCommand>> COMMANDS = commands();

  private static Map<String, Function<Io, OcellusCommand>> commands() {
    Map<String, Function<Io, OcellusCommand>> commands = new LinkedHashMap<>();
    commands.put("chat", ChatCommand::new);
    commands.put("describe", DescribeCommand::new);
    commands.put("encode", EncodeCommand::new);
    commands.put("embed", EmbedCommand::new);
    commands.put("classify", ClassifyCommand::new);
    commands.put("tokenize", TokenizeCommand::new);
    commands.put("template", TemplateCommand::new);
    commands.put("convert", ConvertCommand::new);
    commands.put("inspect", InspectCommand::new);
    commands.put("quantize", QuantizeCommand::new);
    commands.put("imatrix", ImatrixCommand::new);
    commands.put("perplexity", PerplexityCommand::new);
    commands.put("compare", CompareCommand::new);
    commands.put("edit", EditCommand::new);
    commands.put("split", SplitCommand::new);
    commands.put("merge", MergeCommand::new);
    commands.put("hash", HashCommand::new);
    commands.put("diff", DiffCommand::new);
    commands.put("devices", DevicesCommand::new);
    commands.put("bench", BenchCommand::new);
    return commands;
  }

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
      CommandLine all = program.commandLine(COMMANDS.keySet(), new StringWriter());
      all.usage(io.out(), program.colors(io.outTerminal()));
    }
  }

  private final Io io;
  private final ErrorHandling errors;

  /** A program on these streams. */
  Ocellus(Io io) {
    this.io = io;
    this.errors = new ErrorHandling(io);
  }

  /** Runs one command line; returns the exit code. */
  int run(List<String> arguments) {
    Iterable<String> needed =
        !arguments.isEmpty() && COMMANDS.containsKey(arguments.getFirst())
            ? List.of(arguments.getFirst())
            : COMMANDS.keySet();
    try {
      // picocli prints help itself, and takes a closed output for a mistake of the program
      StringWriter help = new StringWriter();
      int code = commandLine(needed, help).execute(arguments.toArray(String[]::new));
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

  private CommandLine commandLine(Iterable<String> commands, Writer out) {
    CommandLine line = new CommandLine(new Root(io));
    for (String name : commands) {
      Function<Io, OcellusCommand> command = COMMANDS.get(name);
      if (command != null) {
        line.addSubcommand(name, command.apply(io));
      }
    }
    for (CommandLine command : line.getSubcommands().values()) {
      command.getCommandSpec().usageMessage().abbreviateSynopsis(true).sortOptions(false);
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

  private static PrintWriter writer(PrintStream stream) {
    return new PrintWriter(stream, true, stream.charset());
  }

  private Help.ColorScheme colors(boolean terminal) {
    boolean on = new OutputMixin().colorOn(io, terminal);
    return Help.defaultColorScheme(on ? Ansi.ON : Ansi.OFF);
  }
}
