package dev.ocellus.cli.model;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.cli.command.ModelPathConverter;
import dev.ocellus.cli.command.OcellusCommand;
import dev.ocellus.cli.command.Version;
import dev.ocellus.cli.terminal.ExitCode;
import dev.ocellus.cli.terminal.Io;
import dev.ocellus.cli.terminal.Json;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.quantize.file.GgufHash;
import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Hashes of tensors. */
@Command(
    name = "hash",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    header = HashCommand.HEADER,
    description =
        "Of the data only, so metadata may differ. The last line is of the data of all tensors in file order.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  ocellus hash model.gguf",
      "",
      "Exit codes: 0 done, 1 failed, 2 wrong command line."
    })
public final class HashCommand extends OcellusCommand {
  /** What it does, in one line. */
  public static final String HEADER = "Prints SHA-256 of every tensor of a GGUF file and of all.";

  @Parameters(paramLabel = "FILE", converter = ModelPathConverter.class, description = "GGUF file.")
  Path file = Path.of("");

  public HashCommand(Io io) {
    super(io);
  }

  @Override
  protected int run() throws IOException {
    try (GgufFile gguf = GgufFile.open(file)) {
      GgufHash.Hashes hashes = GgufHash.of(gguf);
      if (printsJson()) {
        ObjectNode json = Json.object();
        json.put("file", file.toString());
        json.put("sha256", hashes.total());
        ObjectNode tensors = json.putObject("tensors");
        hashes.tensors().forEach(line -> tensors.put(line.name(), line.sha256()));
        printJson(json);
      } else {
        hashes
            .tensors()
            .forEach(line ->
                io().out()
                    .println("sha256    %s  %s:%s".formatted(line.sha256(), file, line.name())));
        io().out().println("sha256    %s  %s".formatted(hashes.total(), file));
      }
    }
    return ExitCode.OK;
  }
}
