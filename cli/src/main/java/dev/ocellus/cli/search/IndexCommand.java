package dev.ocellus.cli.search;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.cli.command.OcellusCommand;
import dev.ocellus.cli.command.Version;
import dev.ocellus.cli.search.IndexMixin.Updated;
import dev.ocellus.cli.terminal.ExitCode;
import dev.ocellus.cli.terminal.Io;
import dev.ocellus.cli.terminal.Json;
import dev.ocellus.search.ImageIndex;
import dev.ocellus.search.IndexException;
import dev.ocellus.search.IndexInfo;
import dev.ocellus.search.IndexLocation;
import dev.ocellus.search.UpdateReport;
import dev.ocellus.vlm.embedding.Embedder;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Makes a folder of images searchable. */
@Command(
    name = "index",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    header = IndexCommand.HEADER,
    description = {
      "Takes the folder and all below, without hidden ones; symbolic links are followed, to nothing"
          + " twice. Run again, it encodes only what is new or changed and drops what is gone."
          + " Ctrl-C keeps what is done.",
      "Without -m, the model that made the index goes on; a new index is made with the embedded"
          + " demo model. Another model makes the index anew."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  ocellus index photos -m clip.gguf",
      "  ocellus index /media/camera --index ~/camera-index -m clip-vit-base-patch32",
      "  ocellus index photos -m Qwen3-VL-Embedding-2B --dimension 1024",
      "  ocellus search photos \"two dogs on a beach\"",
      "",
      "Exit codes: 0 done, also where files were left out; 1 failed, 2 wrong command line, 130"
          + " Ctrl-C."
    })
public final class IndexCommand extends OcellusCommand {
  public static final String HEADER =
      "Makes a folder of images searchable with a dual encoder such as CLIP, or Qwen3-VL-Embedding.";

  @Mixin IndexMixin index = new IndexMixin();
  @Mixin DualMixin model = new DualMixin();

  public IndexCommand(Io io) {
    super(io);
  }

  @Override
  protected int run() throws IOException {
    IndexLocation location = index.location();
    IndexInfo before = index.known(location);
    try (Embedder encoder = index.open(this, model, before)) {
      boolean anew = isOther(location, encoder, before) || index.rebuild;
      Updated updated = index.update(this, location, model, encoder, anew);
      if (printsJson()) {
        printJson(json(location, encoder, updated));
      } else {
        print(location, updated);
      }
    }
    return ExitCode.OK;
  }

  private boolean isOther(IndexLocation location, Embedder encoder, @Nullable IndexInfo before)
      throws IOException {
    if (before == null || index.rebuild) {
      return false;
    }
    try (ImageIndex found = ImageIndex.open(location)) {
      found.requireModel(encoder);
      return false;
    } catch (IndexException e) {
      if (e.kind() != IndexException.Kind.OTHER_MODEL) {
        throw e;
      }
      note("the index was made with another model, %s; making it anew".formatted(before.source()));
      return true;
    }
  }

  private void print(IndexLocation location, Updated updated) {
    UpdateReport report = updated.report();
    List<String> parts = new ArrayList<>();
    add(parts, report.nEncoded(), "encoded");
    add(parts, report.nReused(), "known by their content");
    add(parts, report.nUnchanged(), "unchanged");
    add(parts, report.nRemoved(), "gone");
    add(parts, report.unreadable().size(), "left out");
    String rate =
        report.nEncoded() == 0
            ? ""
            : String.format(Locale.ROOT, ", %.1f images/s", updated.imagesPerSecond());
    io().out()
        .printf(
            Locale.ROOT,
            "%d images in %s (%s), %.1f s%s%n",
            report.nImages(),
            location.index(),
            parts.isEmpty() ? "none found" : String.join(", ", parts),
            updated.seconds(),
            rate);
  }

  private static void add(List<String> parts, int n, String what) {
    if (n > 0) {
      parts.add(n + " " + what);
    }
  }

  private ObjectNode json(IndexLocation location, Embedder encoder, Updated updated) {
    UpdateReport report = updated.report();
    ObjectNode root = Json.object();
    root.put("folder", location.folder().toString());
    root.put("index", location.index().toString());
    root.put("model", given(encoder.path()).toString());
    root.put("dimension", encoder.dimension());
    root.put("images", report.nImages());
    root.put("encoded", report.nEncoded());
    root.put("reused", report.nReused());
    root.put("unchanged", report.nUnchanged());
    root.put("removed", report.nRemoved());
    ArrayNode unreadable = root.putArray("unreadable");
    report
        .unreadable()
        .forEach(u -> unreadable.addObject().put("path", u.path()).put("error", u.message()));
    root.put("seconds", Json.millis(updated.seconds()));
    root.put("images_per_second", Json.millis(updated.imagesPerSecond()));
    return root;
  }
}
