package dev.ocellus.cli.search;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.cli.command.OcellusCommand;
import dev.ocellus.cli.command.Range;
import dev.ocellus.cli.command.Version;
import dev.ocellus.cli.terminal.ExitCode;
import dev.ocellus.cli.terminal.Interrupt;
import dev.ocellus.cli.terminal.Io;
import dev.ocellus.cli.terminal.Json;
import dev.ocellus.cli.terminal.Printable;
import dev.ocellus.search.DuplicateGroup;
import dev.ocellus.search.DuplicateGroup.Duplicate;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Finds images that a folder has more than once. */
@Command(
    name = "dedupe",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    header = DedupeCommand.HEADER,
    description = {
      "Prints groups. The first of a group has the most pixels, and of these the most bytes; '='"
          + " marks what is the same file byte for byte, a number the cosine with the first. Each"
          + " image of a group is near to one more of it, not to all. Nothing is deleted.",
      "The index is brought up to date first; without -m, with the model that made it."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  ocellus dedupe photos",
      "  ocellus dedupe photos --threshold 0.95 --json",
      "",
      "Exit codes: 0 done, 1 failed, 2 wrong command line, 130 Ctrl-C."
    })
public final class DedupeCommand extends OcellusCommand {
  public static final String HEADER =
      "Finds images that a folder has twice, the same or nearly the same.";

  @Mixin IndexMixin index = new IndexMixin();

  @Option(
      names = "--threshold",
      paramLabel = "X",
      description =
          "Cosine from which on two images count as nearly the same, above 0, up to 1. Default:"
              + " 0.98.")
  @Range(above = 0, max = 1)
  double threshold = 0.98;

  @Option(names = "--exact", description = "Only what is the same byte for byte.")
  boolean exact;

  @Mixin DualMixin model = new DualMixin();

  public DedupeCommand(Io io) {
    super(io);
  }

  @Override
  protected int run() throws IOException {
    try (var opened = index.openOrMake(this, model, true);
        var interrupt = new Interrupt();
        var progress = progress()) {
      List<DuplicateGroup> groups =
          exact
              ? opened.index().identical()
              : opened
                  .index()
                  .duplicates(
                      threshold,
                      (done, total) -> {
                        progress.report("comparing", (double) done / total);
                        return !interrupt.happened();
                      });
      progress.done();
      if (printsJson()) {
        printJson(json(groups, opened.index().info().nImages()));
      } else {
        print(groups, opened.index().info().nImages());
      }
    }
    return ExitCode.OK;
  }

  private void print(List<DuplicateGroup> groups, int nImages) {
    for (DuplicateGroup group : groups) {
      for (int i = 0; i < group.images().size(); i++) {
        Duplicate image = group.images().get(i);
        String mark =
            i == 0
                ? ""
                : image.identical() ? "=" : String.format(Locale.ROOT, "%.4f", image.cosine());
        io().out()
            .printf(
                Locale.ROOT,
                "%-6s  %s  (%d x %d, %d bytes)%n",
                mark,
                Printable.of(image.path()),
                image.width(),
                image.height(),
                image.bytes());
      }
      io().out().println();
    }
    int more = groups.stream().mapToInt(g -> g.images().size() - 1).sum();
    note(
        groups.isEmpty()
            ? "no duplicates among %d images".formatted(nImages)
            : "%d groups; without duplicates %d of %d images would be left"
                .formatted(groups.size(), nImages - more, nImages));
  }

  private ObjectNode json(List<DuplicateGroup> groups, int nImages) {
    ObjectNode root = Json.object();
    root.put("folder", index.folder.toString());
    root.put("images", nImages);
    if (!exact) {
      root.put("threshold", threshold);
    }
    ArrayNode list = root.putArray("groups");
    for (DuplicateGroup group : groups) {
      ObjectNode node = list.addObject();
      node.put("identical", group.isIdentical());
      ArrayNode images = node.putArray("images");
      for (Duplicate image : group.images()) {
        ObjectNode entry = images.addObject();
        entry.put("path", image.path().toString());
        entry.put("width", image.width());
        entry.put("height", image.height());
        entry.put("bytes", image.bytes());
        entry.put("identical", image.identical());
        entry.put("cosine", image.cosine());
      }
    }
    return root;
  }
}
