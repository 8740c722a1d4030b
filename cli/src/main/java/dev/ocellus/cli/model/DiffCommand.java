package dev.ocellus.cli.model;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.cli.command.ModelPathConverter;
import dev.ocellus.cli.command.OcellusCommand;
import dev.ocellus.cli.command.Version;
import dev.ocellus.cli.terminal.ExitCode;
import dev.ocellus.cli.terminal.Io;
import dev.ocellus.cli.terminal.Json;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.quantize.file.GgufDiff;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** What differs between two files. */
@Command(
    name = "diff",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    header = DiffCommand.HEADER,
    description = "Metadata, and type, shape and data of tensors; their order does not count.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  ocellus diff a.gguf b.gguf",
      "",
      "Exit codes: 0 no difference, 1 differences or failed, 2 wrong command line."
    })
public final class DiffCommand extends OcellusCommand {
  /** What it does, in one line. */
  public static final String HEADER = "Shows what differs between two GGUF files.";

  @Parameters(
      index = "0",
      paramLabel = "A",
      converter = ModelPathConverter.class,
      description = "GGUF file.")
  Path a = Path.of("");

  @Parameters(
      index = "1",
      paramLabel = "B",
      converter = ModelPathConverter.class,
      description = "GGUF file.")
  Path b = Path.of("");

  public DiffCommand(Io io) {
    super(io);
  }

  @Override
  protected int run() throws IOException {
    try (GgufFile fileA = GgufFile.open(a);
        GgufFile fileB = GgufFile.open(b)) {
      GgufDiff diff = GgufDiff.of(fileA, fileB);
      if (printsJson()) {
        ObjectNode json = Json.object();
        lines(json.putArray("metadata"), diff.metadata());
        lines(json.putArray("tensors"), diff.tensors());
        printJson(json);
      } else {
        print("metadata", diff.metadata());
        print("tensor", diff.tensors());
      }
      return diff.isEmpty() ? ExitCode.OK : ExitCode.FAILED;
    }
  }

  private static void lines(ArrayNode array, List<GgufDiff.Line> lines) {
    lines.forEach(
        line -> array.addObject().put("name", line.name()).put("a", line.a()).put("b", line.b()));
  }

  private void print(String what, List<GgufDiff.Line> lines) {
    for (GgufDiff.Line line : lines) {
      if (line.a() != null) {
        io().out().println("- %s %s: %s".formatted(what, line.name(), line.a()));
      }
      if (line.b() != null) {
        io().out().println("+ %s %s: %s".formatted(what, line.name(), line.b()));
      }
    }
  }
}
