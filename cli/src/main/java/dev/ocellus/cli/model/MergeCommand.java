package dev.ocellus.cli.model;

import dev.ocellus.cli.command.OcellusCommand;
import dev.ocellus.cli.command.Version;
import dev.ocellus.cli.terminal.ExitCode;
import dev.ocellus.cli.terminal.Io;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.quantize.file.GgufSplitter;
import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Several files to one. */
@Command(
    name = "merge",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    header = MergeCommand.HEADER,
    footerHeading = "%nExamples:%n",
    footer = {
      "  ocellus merge model-00001-of-00003.gguf model.gguf",
      "",
      "Exit codes: 0 written, 1 failed, 2 wrong command line."
    })
public final class MergeCommand extends OcellusCommand {
  /** What it does, in one line. */
  public static final String HEADER = "Joins the parts of a GGUF file.";

  @Parameters(
      index = "0",
      paramLabel = "FIRST",
      description = "The first part; the others lie beside it.")
  Path first = Path.of("");

  @Parameters(index = "1", paramLabel = "OUT.gguf", description = "What to write.")
  Path out = Path.of("");

  public MergeCommand(Io io) {
    super(io);
  }

  @Override
  protected int run() throws IOException {
    try (GgufFile gguf = GgufFile.open(first)) {
      GgufSplitter.merge(gguf, out);
      note("%s: %d tensors of %d files".formatted(out, gguf.tensors().size(), gguf.files().size()));
    }
    return ExitCode.OK;
  }
}
