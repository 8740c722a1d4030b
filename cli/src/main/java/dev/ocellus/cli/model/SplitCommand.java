package dev.ocellus.cli.model;

import dev.ocellus.cli.command.ModelPathConverter;
import dev.ocellus.cli.command.OcellusCommand;
import dev.ocellus.cli.command.Range;
import dev.ocellus.cli.command.Version;
import dev.ocellus.cli.terminal.ExitCode;
import dev.ocellus.cli.terminal.Io;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufTensor;
import dev.ocellus.quantize.SizeTarget;
import dev.ocellus.quantize.file.GgufSplitter;
import dev.ocellus.quantize.file.GgufSplitter.Limit;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** One file to several. */
@Command(
    name = "split",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    header = SplitCommand.HEADER,
    description =
        "Writes PREFIX-00001-of-0000N.gguf and so on, as llama-gguf-split does; llama.cpp and Ocellus load all by the first.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  ocellus split --split-max-size 2G model.gguf model",
      "  ocellus split --split-max-tensors 128 --dry-run model.gguf model",
      "",
      "Exit codes: 0 written, 1 failed, 2 wrong command line."
    })
public final class SplitCommand extends OcellusCommand {
  /** What it does, in one line. */
  public static final String HEADER = "Splits a GGUF file into several.";

  @Parameters(
      index = "0",
      paramLabel = "FILE",
      converter = ModelPathConverter.class,
      description = "GGUF file.")
  Path file = Path.of("");

  @Parameters(index = "1", paramLabel = "PREFIX", description = "Beginning of the new names.")
  Path prefix = Path.of("");

  @Option(
      names = "--split-max-size",
      paramLabel = "SIZE",
      description = "Max. bytes of tensors in a file: 2G, 500M.")
  @Nullable String maxSize;

  @Option(
      names = "--split-max-tensors",
      paramLabel = "N",
      description = "Max. tensors in a file. Default: 128.")
  @Range(min = 1)
  int maxTensors = 128;

  @Option(
      names = "--no-tensor-first-split",
      description = "The first file has metadata and no tensors.")
  boolean emptyFirst;

  @Option(names = "--dry-run", description = "Only print what would be written.")
  boolean dryRun;

  public SplitCommand(Io io) {
    super(io);
  }

  @Override
  protected int run() throws IOException {
    String size = maxSize;
    Limit limit =
        checked(() ->
            size == null
                ? new Limit.Tensors(maxTensors)
                : new Limit.Bytes(SizeTarget.parse(size).bytes()));
    try (GgufFile gguf = GgufFile.open(file)) {
      List<List<GgufTensor>> parts = GgufSplitter.plan(gguf, limit, emptyFirst);
      List<Path> written = dryRun ? List.of() : GgufSplitter.split(gguf, prefix, parts);
      for (int i = 0; i < parts.size(); i++) {
        long bytes = parts.get(i).stream().mapToLong(GgufTensor::byteSize).sum();
        String name = dryRun ? "part " + (i + 1) : written.get(i).toString();
        io().out().println("%s: %d tensors, %d bytes".formatted(name, parts.get(i).size(), bytes));
      }
    }
    return ExitCode.OK;
  }
}
