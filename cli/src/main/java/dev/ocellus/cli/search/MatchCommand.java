package dev.ocellus.cli.search;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.OcellusException;
import dev.ocellus.cli.command.OcellusCommand;
import dev.ocellus.cli.command.Version;
import dev.ocellus.cli.options.ImageSource;
import dev.ocellus.cli.terminal.ExitCode;
import dev.ocellus.cli.terminal.Interrupt;
import dev.ocellus.cli.terminal.Io;
import dev.ocellus.cli.terminal.Json;
import dev.ocellus.cli.terminal.Progress;
import dev.ocellus.cli.terminal.TextInput;
import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.compute.ComputationCancelledException;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.imagetext.ImageTextMatch;
import dev.ocellus.vlm.imagetext.ImageTextMatcher;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** How well images and texts fit. */
@Command(
    name = "match",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    header = MatchCommand.HEADER,
    description = {
      "Every image is compared with every text, in two ways: the probability of a match, where the"
          + " text attends to the image, and the cosine of their vectors, each for itself.",
      "Texts are ordered by probability; with --json everything stays in the order that it was"
          + " given in."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  ocellus match -m blip-itm.gguf --image beach.png --text \"two dogs on a beach\"",
      "  ocellus match -m blip-itm-base-coco --image a.png --image b.png --text \"a cat\" --text"
          + " \"a dog\" --json",
      "",
      "Exit codes: 0 done, 1 an image or the model failed, 2 wrong command line, 130 Ctrl-C."
    })
public final class MatchCommand extends OcellusCommand {
  /** What it does, in one line. */
  public static final String HEADER =
      "Says whether images and texts belong together, with a model such as BLIP.";

  @Option(
      names = "--image",
      paramLabel = "FILE",
      arity = "1..*",
      required = true,
      description = "Images: paths, file: URLs, or - for standard input; repeatable.")
  List<ImageSource> images = new ArrayList<>();

  @Option(names = "--text", paramLabel = "TEXT", arity = "1..*", description = "Texts; repeatable.")
  List<String> texts = new ArrayList<>();

  @Option(
      names = "--texts",
      paramLabel = "FILE",
      description = "A file with a text a line, after those of --text; - for standard input.")
  @Nullable String textFile;

  @Mixin ImageTextMixin model = new ImageTextMixin();

  public MatchCommand(Io io) {
    super(io);
  }

  @Override
  protected int run() throws IOException {
    List<String> all = new ArrayList<>(texts);
    if (textFile != null) {
      TextInput.read(io(), textFile).lines().filter(l -> !l.isBlank()).forEach(all::add);
    }
    if (all.isEmpty()) {
      throw usage("no texts; give --text or --texts");
    }
    var options = model.options();
    // Read before a model is loaded for nothing, and once: a pipe has no second time.
    RgbImage only = isOne() ? images.getFirst().read(io()).image() : null;
    Path file = model.file(this);
    try (var interrupt = new Interrupt();
        var progress = progress()) {
      progress.start("loading " + nameOf(file));
      try (ImageTextMatcher matcher = ImageTextMatcher.open(file, options)) {
        noteCut(all, matcher.contextLength(), i -> matcher.tokenize(all.get(i)).nDropped());
        return matchAll(only, matcher, all, progress, interrupt);
      }
    }
  }

  private boolean isOne() {
    return images.size() == 1;
  }

  private int matchAll(
      @Nullable RgbImage only,
      ImageTextMatcher matcher,
      List<String> all,
      Progress progress,
      Interrupt interrupt)
      throws IOException {
    ArrayNode results = Json.array();
    int code = ExitCode.OK;
    for (ImageSource source : images) {
      progress.start("comparing " + source);
      try {
        RgbImage image = only != null ? only : source.read(io()).image();
        List<ImageTextMatch> found = match(matcher, image, all, interrupt);
        progress.done();
        for (int i = 0; i < found.size(); i++) {
          results.add(json(source, all.get(i), found.get(i)));
        }
        if (!printsJson()) {
          print(source, all, found);
        }
      } catch (IOException | OcellusException e) {
        if (isOne()) {
          throw e;
        }
        progress.done();
        String message = failed(source.toString(), e);
        results.add(Json.object().put("image", source.toString()).put("error", message));
        code = ExitCode.FAILED;
      }
    }
    if (printsJson()) {
      printJson(results.size() == 1 ? results.get(0) : Json.object().set("matches", results));
    }
    return code;
  }

  private static List<ImageTextMatch> match(
      ImageTextMatcher matcher, RgbImage image, List<String> all, Interrupt interrupt) {
    CancellationFlag flag = new CancellationFlag();
    interrupt.onInterrupt(flag::cancel);
    try {
      return matcher.match(image, all, flag);
    } catch (ComputationCancelledException e) {
      interrupt.check();
      throw e;
    }
  }

  private static ObjectNode json(ImageSource image, String text, ImageTextMatch match) {
    ObjectNode node = Json.object();
    node.put("image", image.toString());
    node.put("text", text);
    node.put("itm", match.probability());
    node.put("itc", match.cosine());
    node.set("itm_logits", Json.array(new float[] {match.noMatchLogit(), match.matchLogit()}));
    return node;
  }

  private void print(ImageSource image, List<String> all, List<ImageTextMatch> found) {
    if (!isOne()) {
      io().out().println(image);
    }
    List<Integer> ranking =
        IntStream.range(0, all.size())
            .boxed()
            .sorted(Comparator.comparingDouble(i -> -found.get(i).probability()))
            .toList();
    for (int i : ranking) {
      io().out()
          .printf(
              Locale.ROOT,
              "%7.2f %%  cosine %7.4f  %s%n",
              found.get(i).probability() * 100,
              found.get(i).cosine(),
              all.get(i));
    }
    io().out().flush();
  }
}
