package dev.ocellus.cli.model;

import dev.ocellus.cli.command.ModelPathConverter;
import dev.ocellus.cli.command.OcellusCommand;
import dev.ocellus.cli.command.Version;
import dev.ocellus.cli.terminal.ExitCode;
import dev.ocellus.cli.terminal.Io;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.quantize.inspect.GgufReport;
import dev.ocellus.quantize.inspect.TextOptions;
import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** What a GGUF file holds. */
@Command(
    name = "inspect",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    header = InspectCommand.HEADER,
    description =
        "Metadata, tokenizer, chat template and tensors. Reads the file in Java and loads nothing.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  ocellus inspect model.gguf",
      "  ocellus inspect --json model.gguf",
      "  ocellus inspect --full --no-tensors model.gguf",
      "",
      "Exit codes: 0 done, 1 the file is damaged or cannot be read, 2 wrong command line."
    })
public final class InspectCommand extends OcellusCommand {
  /** What it does, in one line. */
  public static final String HEADER = "Shows what a GGUF file holds.";

  @Parameters(paramLabel = "FILE", converter = ModelPathConverter.class, description = "GGUF file.")
  Path file = Path.of("");

  @Option(names = "--full", description = "Whole arrays, strings and templates.")
  boolean full;

  @Option(names = "--no-tensors", description = "Without the table of tensors.")
  boolean noTensors;

  public InspectCommand(Io io) {
    super(io);
  }

  @Override
  protected int run() throws IOException {
    try (GgufFile gguf = GgufFile.open(file)) {
      GgufReport report = GgufReport.of(gguf);
      if (printsJson()) {
        printJson(report.toJson(full));
      } else {
        io().out()
            .print(
                report.toText(
                    new TextOptions(
                        io().outTerminal() && !full ? columns() : 0, colorOn(), full, !noTensors)));
      }
    }
    return ExitCode.OK;
  }

  private int columns() {
    try {
      return Math.max(40, Integer.parseInt(io().environment().getOrDefault("COLUMNS", "100")));
    } catch (NumberFormatException e) {
      return 100;
    }
  }
}
