package dev.ocellus.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import dev.ocellus.cli.command.OcellusCommand;
import dev.ocellus.cli.command.Version;
import dev.ocellus.cli.man.ManPage;
import dev.ocellus.cli.terminal.ExitCode;
import dev.ocellus.cli.terminal.Io;
import dev.ocellus.cli.terminal.Json;
import dev.ocellus.io.AtomicFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Writes manual pages. */
@Command(
    name = "man",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    header = ManCommand.HEADER,
    description =
        "Prints the page of a command, or of the program, for man to show; with --out, writes all"
            + " pages as files.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  ocellus man chat | man -l -",
      "  ocellus man --out ~/.local/share/man/man1       then: man ocellus-chat",
      "",
      "Exit codes: 0 done, 1 the pages cannot be written, 2 wrong command line."
    })
final class ManCommand extends OcellusCommand {
  /** What it does, in one line. */
  static final String HEADER = "Prints or writes manual pages.";

  @Parameters(arity = "0..1", paramLabel = "COMMAND", description = "Default: the program itself.")
  @Nullable String command;

  @Option(names = "--out", paramLabel = "DIR", description = "Write all pages into this folder.")
  @Nullable Path directory;

  ManCommand(Io io) {
    super(io);
  }

  @Override
  protected int run() throws IOException {
    CommandLine program = Ocellus.whole(io());
    if (directory != null) {
      if (command != null) {
        throw usage("--out writes the pages of all commands; leave out '%s'".formatted(command));
      }
      return write(program, directory);
    }
    CommandLine line = command == null ? program : program.getSubcommands().get(command);
    if (line == null) {
      throw usage("no command '%s'; 'ocellus' lists them".formatted(command));
    }
    ManPage page = page(line);
    if (printsJson()) {
      printJson(Json.object().put("name", page.name()).put("page", page.text()));
    } else {
      io().out().print(page.text());
    }
    return ExitCode.OK;
  }

  private int write(CommandLine program, Path folder) throws IOException {
    List<ManPage> pages = new ArrayList<>(List.of(page(program)));
    program.getSubcommands().values().forEach(line -> pages.add(page(line)));
    Files.createDirectories(folder);
    ArrayNode written = Json.array();
    for (ManPage page : pages) {
      Path file = folder.resolve(page.name() + ".1");
      AtomicFile.write(file, page.text().getBytes(StandardCharsets.UTF_8));
      written.add(file.toString());
    }
    if (printsJson()) {
      printJson(written);
    } else {
      note("%d pages written to %s".formatted(pages.size(), folder));
    }
    return ExitCode.OK;
  }

  private static ManPage page(CommandLine line) {
    return new ManPage(line.getCommandSpec(), "ocellus " + Version.number());
  }
}
