package dev.ocellus.cli.generate;

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
import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.vlm.generation.CodeModel;
import dev.ocellus.vlm.generation.Critic;
import dev.ocellus.vlm.generation.ImageCodes;
import dev.ocellus.vlm.generation.ImageScore;
import dev.ocellus.vlm.generation.PixelModel;
import dev.ocellus.vlm.generation.Wasserstein;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.model.ModelKind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** How likely images are, or what a critic says. */
@Command(
    name = "score",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    header = ScoreCommand.HEADER,
    description = {
      "With an autoregressive model (ImageGPT, a VQ model with a prior): the log-likelihood of each"
          + " image in nats, and bits per dimension, which is per pixel or code. With a critic: its"
          + " number.",
      "With --real and --fake and a critic: the Wasserstein-1 estimate, which is the mean score of"
          + " one folder less that of the other, with an interval of 95 %%, and the exact distance of"
          + " the two sets of scores."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  ocellus score docs/pictures/red-circle.png",
      "  ocellus score -m imagegpt-small photo.jpg --per-position --json",
      "  ocellus score --critic --real photos --fake generated --json",
      "",
      "Exit codes: 0 all done, 1 an image or the model failed, 2 wrong command line, 130 Ctrl-C."
    })
public final class ScoreCommand extends OcellusCommand {
  /** What it does, in one line. */
  public static final String HEADER =
      "Tells how likely images are under a model, or what a critic says.";

  @Parameters(
      paramLabel = "IMAGE",
      arity = "0..*",
      description = "Images: paths, file: URLs, or - for standard input.")
  List<ImageSource> images = new ArrayList<>();

  @Option(
      names = "--class",
      paramLabel = "NAME",
      description = "Class of the images, where the model knows classes. Default: any.")
  @Nullable String className;

  @Option(names = "--per-position", description = "The term of each pixel or code, too.")
  boolean perPosition;

  @Option(
      names = "--critic",
      description = "Without a model: the embedded critic, not the embedded prior.")
  boolean critic;

  @Option(names = "--real", paramLabel = "DIR", description = "Folder of images of one kind.")
  @Nullable Path real;

  @Option(names = "--fake", paramLabel = "DIR", description = "Folder of images of the other.")
  @Nullable Path fake;

  @Mixin GeneratorMixin model = new GeneratorMixin();

  public ScoreCommand(Io io) {
    super(io);
  }

  /** Scores one image. */
  private interface Scorer {
    ObjectNode score(RgbImage image);
  }

  @Override
  protected int run() throws IOException {
    if ((real == null) != (fake == null)) {
      throw usage("--real and --fake belong together");
    }
    if (real == null && images.isEmpty()) {
      throw usage("no images; name some, or give --real and --fake");
    }
    if (real != null && !images.isEmpty()) {
      throw usage("--real and --fake compare two folders; leave the images out");
    }
    if (critic && model.model != null) {
      throw usage("--critic is the embedded critic; leave it out, or -m");
    }
    Path file =
        model.model == null && (critic || real != null)
            ? EmbeddedModels.critic(this)
            : EmbeddedModels.vq(this, model);
    CancellationFlag flag = new CancellationFlag();
    try (var interrupt = new Interrupt();
        var progress = progress()) {
      interrupt.onInterrupt(flag::cancel);
      progress.start("loading " + nameOf(file));
      return switch (kind(file)) {
        case GAN -> judge(file, progress, flag);
        case PIXEL_MODEL -> pixels(file, progress, flag);
        default -> codes(file, progress, flag);
      };
    }
  }

  private static ModelKind kind(Path file) throws IOException {
    try (GgufFile gguf = GgufFile.open(file)) {
      return ModelKind.of(gguf.metadata());
    }
  }

  private int judge(Path file, Progress progress, CancellationFlag flag) throws IOException {
    try (Critic judge = Critic.open(file, model.options())) {
      Path first = real;
      Path second = fake;
      if (first != null && second != null) {
        wasserstein(scores(judge, first, progress, flag), scores(judge, second, progress, flag));
        return ExitCode.OK;
      }
      return all(image -> Json.object().put("critic", judge.score(image, flag)), progress);
    }
  }

  private int pixels(Path file, Progress progress, CancellationFlag flag) throws IOException {
    requireNoFolders();
    try (PixelModel pixels = PixelModel.open(file, model.options())) {
      return all(
          image -> {
            int[] ids = pixels.colours(image);
            ObjectNode node = json(pixels.score(ids, flag));
            return perPosition ? (ObjectNode) node.set("ids", Json.array(ids)) : node;
          },
          progress);
    }
  }

  private int codes(Path file, Progress progress, CancellationFlag flag) throws IOException {
    requireNoFolders();
    try (CodeModel prior = CodeModel.open(file, model.options())) {
      int number = className == null ? -1 : prior.classOf(className);
      return all(
          image -> {
            RgbImage fitted = prior.vq().fit(image, prior.vq().imageSize());
            ImageCodes codes = prior.vq().encode(fitted, flag);
            return json(number < 0 ? prior.score(codes, flag) : prior.score(codes, number, flag));
          },
          progress);
    }
  }

  private void requireNoFolders() {
    if (real != null) {
      throw usage("--real and --fake want a critic");
    }
  }

  private ObjectNode json(ImageScore score) {
    ObjectNode node = Json.object();
    node.put("log_likelihood", score.logLikelihood());
    node.put("bits_per_dim", score.bitsPerDimension());
    node.put("dimensions", score.perPosition().length);
    if (perPosition) {
      ArrayNode terms = node.putArray("log_likelihood_per_position");
      for (double term : score.perPosition()) {
        terms.add(term);
      }
    }
    return node;
  }

  private int all(Scorer scorer, Progress progress) throws IOException {
    ArrayNode results = Json.array();
    int code = ExitCode.OK;
    for (ImageSource source : images) {
      progress.start("scoring " + source);
      try {
        ObjectNode node = Json.object().put("image", source.toString());
        node.setAll(scorer.score(source.read(io()).image()));
        progress.done();
        results.add(node);
        if (!printsJson()) {
          print(source, node);
        }
      } catch (IOException | OcellusException e) {
        if (images.size() == 1) {
          throw e;
        }
        progress.done();
        String message = failed(source.toString(), e);
        results.add(Json.object().put("image", source.toString()).put("error", message));
        code = ExitCode.FAILED;
      }
    }
    if (printsJson()) {
      printJson(results.size() == 1 ? results.get(0) : Json.object().set("images", results));
    }
    return code;
  }

  private void print(ImageSource source, ObjectNode node) {
    if (node.has("critic")) {
      io().out().printf(Locale.ROOT, "%10.4f  %s%n", node.get("critic").doubleValue(), source);
      return;
    }
    io().out()
        .printf(
            Locale.ROOT,
            "%12.4f nats  %7.4f bits per dimension  %s%n",
            node.get("log_likelihood").doubleValue(),
            node.get("bits_per_dim").doubleValue(),
            source);
    if (perPosition) {
      io().out().println(node.get("log_likelihood_per_position"));
    }
  }

  private double[] scores(Critic judge, Path folder, Progress progress, CancellationFlag flag)
      throws IOException {
    List<Path> files;
    try (Stream<Path> all = Files.list(folder)) {
      files = all.filter(Files::isRegularFile).sorted().toList();
    }
    if (files.isEmpty()) {
      throw new OcellusException("%s: no files in this folder".formatted(folder));
    }
    double[] scores = new double[files.size()];
    for (int i = 0; i < scores.length; i++) {
      progress.report("scoring " + folder, (double) i / scores.length);
      RgbImage image = new ImageSource(files.get(i).toString()).read(io()).image();
      scores[i] = judge.score(image, flag);
    }
    progress.done();
    return scores;
  }

  private void wasserstein(double[] first, double[] second) {
    Wasserstein w = Wasserstein.of(first, second);
    if (printsJson()) {
      ObjectNode node = Json.object();
      node.put("wasserstein_1", w.estimate());
      if (!Double.isNaN(w.low())) {
        node.putArray("confidence_95").add(w.low()).add(w.high());
      }
      node.put("wasserstein_1_of_scores", w.scores());
      node.put("real", first.length).put("fake", second.length);
      printJson(node);
      return;
    }
    String interval =
        Double.isNaN(w.low())
            ? "no interval of one image"
            : String.format(Locale.ROOT, "95 %%: %.4f to %.4f", w.low(), w.high());
    io().out()
        .printf(
            Locale.ROOT,
            "Wasserstein-1 estimate %.4f (%s), of the scores exactly %.4f; %d and %d images%n",
            w.estimate(),
            interval,
            w.scores(),
            first.length,
            second.length);
  }
}
