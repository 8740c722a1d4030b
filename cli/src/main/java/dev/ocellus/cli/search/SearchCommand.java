package dev.ocellus.cli.search;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.OcellusException;
import dev.ocellus.cli.command.OcellusCommand;
import dev.ocellus.cli.command.Range;
import dev.ocellus.cli.command.Version;
import dev.ocellus.cli.options.ImageSource;
import dev.ocellus.cli.terminal.ExitCode;
import dev.ocellus.cli.terminal.Io;
import dev.ocellus.cli.terminal.Json;
import dev.ocellus.cli.terminal.Preview;
import dev.ocellus.cli.terminal.Printable;
import dev.ocellus.search.SearchHit;
import dev.ocellus.vlm.embedding.Embedder;
import dev.ocellus.vlm.embedding.EmbeddingInput;
import dev.ocellus.vlm.embedding.VisionLanguageEmbedder;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.Visual;
import dev.ocellus.vlm.image.codec.ImageDecoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Finds images of a folder by a text, or by another image. */
@Command(
    name = "search",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    header = SearchCommand.HEADER,
    description = {
      "Prints the best first, each with its score: the cosine of its vector and that of the query."
          + " In a terminal that can show them, with small previews.",
      "Where the folder has no index, it is made first ('ocellus index' brings it up to date later,"
          + " or --update here). Without -m, the model that made the index answers."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  ocellus search docs/pictures a red circle",
      "  ocellus search photos \"two dogs on a beach\" --max 20 --html found.html",
      "  ocellus search photos --image beach.jpg --json",
      "",
      "Exit codes: 0 done, 1 failed, 2 wrong command line, 130 Ctrl-C."
    })
public final class SearchCommand extends OcellusCommand {
  public static final String HEADER =
      "Finds the images of a folder that fit a text or are like another image.";

  @Mixin IndexMixin index = new IndexMixin();

  @Parameters(
      index = "1..*",
      arity = "0..*",
      paramLabel = "TEXT",
      description = "What to look for.")
  List<String> words = new ArrayList<>();

  @Option(
      names = "--image",
      paramLabel = "FILE",
      description = "Look for images like this one: a path, a file: URL, or - for standard input.")
  @Nullable ImageSource image;

  @Option(
      names = "--instruction",
      paramLabel = "TEXT",
      description =
          "For Qwen3-VL-Embedding: what is looked for. Default: Represent the user's input.")
  String instruction = "";

  @Option(
      names = {"-n", "--max"},
      paramLabel = "N",
      description = "Images to show at most. Default: 10.")
  @Range(min = 1)
  int max = 10;

  @Option(
      names = "--min-score",
      paramLabel = "X",
      description = "Leave out images with a lower score, from -1 to 1.")
  @Range(min = -1, max = 1)
  double minScore = -1;

  @Option(
      names = "--html",
      paramLabel = "FILE",
      description = "Write a page with the images, too, that needs no other file.")
  @Nullable Path html;

  @Option(names = "--update", description = "Bring the index up to date first.")
  boolean update;

  @Option(names = "--no-preview", description = "No previews in the terminal.")
  boolean noPreview;

  @Mixin DualMixin model = new DualMixin();

  public SearchCommand(Io io) {
    super(io);
  }

  @Override
  protected int run() throws IOException {
    String text = String.join(" ", words);
    if (image == null == text.isBlank()) {
      throw usage("expected either a text to look for, or --image");
    }
    index.location();
    RgbImage shown = image == null ? null : image.read(io()).image();
    try (var opened = index.openOrMake(this, model, update)) {
      List<SearchHit> hits =
          opened.index().search(query(opened.encoder(), shown, text), max).stream()
              .filter(hit -> hit.score() >= minScore)
              .toList();
      String query = image == null ? text : "images like " + image;
      if (html != null) {
        HtmlPage.write(html, query, index.folder, hits);
        note("wrote " + html);
      }
      if (printsJson()) {
        printJson(json(text, hits, opened.index().info().nImages()));
      } else {
        print(hits, opened.index().info().nImages());
      }
    }
    return ExitCode.OK;
  }

  private float[] query(Embedder encoder, @Nullable RgbImage shown, String text) {
    if (encoder instanceof VisionLanguageEmbedder model) {
      List<Visual> visuals = shown == null ? List.of() : List.of(shown);
      EmbeddingInput input = new EmbeddingInput(text, visuals, instruction);
      noteCut(text, model.nDropped(input));
      return model.embed(input);
    }
    if (!instruction.isEmpty()) {
      throw EmbedderMixin.notFor(this, "instructions");
    }
    if (shown != null) {
      return encoder.embedImage(shown);
    }
    noteCut(text, encoder.nDropped(text));
    return encoder.embedText(text);
  }

  private void noteCut(String text, int nDropped) {
    if (nDropped > 0) {
      note(
          "the text '%s' is longer than the model takes; the last %d tokens were left out"
              .formatted(Printable.shortened(text), nDropped));
    }
  }

  private ObjectNode json(String text, List<SearchHit> hits, int nImages) {
    ObjectNode root = Json.object();
    if (image == null) {
      root.put("text", text);
    } else {
      root.put("image", image.toString());
    }
    root.put("folder", index.folder.toString());
    root.put("images", nImages);
    ArrayNode results = root.putArray("results");
    for (SearchHit hit : hits) {
      ObjectNode result = results.addObject();
      result.put("path", hit.path().toString());
      result.put("score", hit.score());
      result.put("width", hit.width());
      result.put("height", hit.height());
      result.put("bytes", hit.bytes());
      if (Files.notExists(hit.path())) {
        result.put("missing", true);
      }
    }
    return root;
  }

  private void print(List<SearchHit> hits, int nImages) {
    if (hits.isEmpty()) {
      note(
          nImages == 0
              ? "there are no images in " + index.folder
              : "none of the %d images has that score".formatted(nImages));
    }
    Preview preview =
        io().outTerminal() && !noPreview ? Preview.of(io().environment()) : Preview.OFF;
    for (SearchHit hit : hits) {
      boolean missing = Files.notExists(hit.path());
      if (!missing && preview != Preview.OFF) {
        io().out().print(preview(preview, hit.path()));
      }
      io().out()
          .printf(
              Locale.ROOT,
              "%6.3f  %s%s%n",
              hit.score(),
              Printable.of(hit.path()),
              missing ? " (not there any more; --update)" : "");
    }
  }

  private String preview(Preview preview, Path file) {
    try {
      return preview.render(ImageDecoder.decode(file), io().environment());
    } catch (IOException | OcellusException e) {
      return ""; // changed since it was indexed
    }
  }
}
