package dev.ocellus.cli.model;

import dev.ocellus.cli.command.OcellusCommand;
import dev.ocellus.cli.command.Version;
import dev.ocellus.cli.terminal.ExitCode;
import dev.ocellus.cli.terminal.Io;
import dev.ocellus.quantize.file.GgufEditor;
import dev.ocellus.quantize.file.GgufEditor.Change;
import dev.ocellus.quantize.file.MetadataText;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Changes metadata. */
@Command(
    name = "edit",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    header = EditCommand.HEADER,
    description = {
      "Renames first, then removes, then sets. The file is replaced when the new one is complete, and stays as it was if anything fails.",
      "TYPE is u8, i8, u16, i16, u32, i32, u64, i64, f32, f64, bool, str, or arr[TYPE] with a JSON array."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  ocellus edit model.gguf --set general.name=str:Mine --remove general.author",
      "  ocellus edit in.gguf -o out.gguf --set llama.rope.freq_base=f32:500000",
      "",
      "Exit codes: 0 written, 1 failed, 2 wrong command line."
    })
public final class EditCommand extends OcellusCommand {
  /** What it does, in one line. */
  public static final String HEADER = "Changes the metadata of a GGUF file.";

  @Parameters(paramLabel = "FILE", description = "GGUF file.")
  Path file = Path.of("");

  @Option(
      names = {"-o", "--out"},
      paramLabel = "FILE",
      description = "What to write. Default: the file itself.")
  @Nullable Path out;

  @Option(names = "--set", paramLabel = "KEY=TYPE:VALUE", description = "Set a value (repeatable).")
  List<String> sets = new ArrayList<>();

  @Option(names = "--remove", paramLabel = "KEY", description = "Remove a key (repeatable).")
  List<String> removes = new ArrayList<>();

  @Option(
      names = "--rename",
      paramLabel = "OLD=NEW",
      description = "Give a key another name (repeatable).")
  List<String> renames = new ArrayList<>();

  public EditCommand(Io io) {
    super(io);
  }

  @Override
  protected int run() throws IOException {
    List<Change> changes = checked(this::changes);
    GgufEditor.edit(file, out == null ? file : out, changes);
    note("%s: %d change(s)".formatted(out == null ? file : out, changes.size()));
    return ExitCode.OK;
  }

  private List<Change> changes() {
    List<Change> changes = new ArrayList<>();
    for (String text : renames) {
      String[] names = text.split("=", 2);
      if (names.length != 2 || names[0].isEmpty() || names[1].isEmpty()) {
        throw new IllegalArgumentException(
            "--rename: expected OLD=NEW, found '%s'".formatted(text));
      }
      changes.add(new Change.Rename(names[0], names[1]));
    }
    removes.forEach(key -> changes.add(new Change.Remove(key)));
    for (String text : sets) {
      MetadataText.Entry entry = MetadataText.parse(text);
      changes.add(new Change.Set(entry.key(), entry.value()));
    }
    if (changes.isEmpty()) {
      throw new IllegalArgumentException("nothing to change: give --set, --remove or --rename");
    }
    return changes;
  }
}
