package dev.ocellus.cli.generate;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.cli.command.OcellusCommand;
import dev.ocellus.cli.command.Range;
import dev.ocellus.cli.command.Version;
import dev.ocellus.cli.options.ImageSource;
import dev.ocellus.cli.terminal.ExitCode;
import dev.ocellus.cli.terminal.Interrupt;
import dev.ocellus.cli.terminal.Io;
import dev.ocellus.cli.terminal.Json;
import dev.ocellus.cli.terminal.Preview;
import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.vlm.generation.DrawOptions;
import dev.ocellus.vlm.generation.PngImages;
import dev.ocellus.vlm.image.RgbImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Images of a text, a class, the beginning of an image, or noise. */
@Command(
    name = "generate",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    header = GenerateCommand.HEADER,
    description = {
      "Draws images: of a text with Janus, of a class with a VQ model that has a prior, pixel by"
          + " pixel with ImageGPT, of noise with a generator (GAN). Several become one image side by"
          + " side.",
      "Writes a PNG whose metadata tell model, seed and settings, so that it can be made again; to"
          + " --out, or to generated-SEED.png. With --json it is written with --out only."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  ocellus generate --seed 7 --out circle.png -p \"red circle\"",
      "  ocellus generate -m Janus-Pro-1B -p \"a red bicycle\" --count 4 --out bicycles.png",
      "  ocellus generate -m imagegpt-small --complete half.png --keep 0.5 --out whole.png",
      "  ocellus generate --gan --seed 1 --to-seed 2 --count 8 --out between.png",
      "",
      "Exit codes: 0 done, 1 the model failed, 2 wrong command line, 130 Ctrl-C."
    })
public final class GenerateCommand extends OcellusCommand {
  /** Guidance that Janus' and LlamaGen's authors draw with. */
  static final double OF_TEXT = 5;

  static final double OF_CLASSES = 4;

  /** What it does, in one line. */
  public static final String HEADER =
      "Makes images of a text, a class, an image's beginning or noise.";

  @Option(
      names = {"-p", "--prompt", "--class"},
      paramLabel = "TEXT",
      description =
          "What to draw: any text for Janus; for others text with the name of a class, or its number.")
  @Nullable String prompt;

  @Option(
      names = {"-o", "--out"},
      paramLabel = "FILE",
      description = "The PNG to write.")
  @Nullable Path out;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "Seed of the first image; the next ones have the next numbers. Default: any.")
  @Range
  @Nullable Long seed;

  @Option(
      names = {"-n", "--count"},
      paramLabel = "N",
      defaultValue = "1",
      description = "Images, in one batch. Default: 1.")
  @Range(min = 1, max = 64)
  int count;

  @Option(
      names = "--temp",
      paramLabel = "T",
      defaultValue = "1",
      description = "Temperature; 0 takes the likeliest code always. Default: 1.")
  @Range(min = 0, max = 100)
  double temperature;

  @Option(
      names = "--top-k",
      paramLabel = "K",
      defaultValue = "0",
      description = "Draw among so many likeliest codes only; 0 for all. Default: 0.")
  @Range(min = 0)
  int topK;

  @Option(
      names = "--guidance",
      paramLabel = "G",
      description =
          "Janus and LlamaGen: how far away from what is drawn without text or class; 1 for none."
              + " Default: 5 for text, 4 for a class.")
  @Range(min = 0, max = 1000)
  @Nullable Double guidance;

  @Option(
      names = "--generator",
      paramLabel = "FILE",
      description =
          "Janus as GGUF: the file with VQ model and head, where it is not beside the text model.")
  @Nullable Path generator;

  @Option(names = "--gan", description = "Without a model: the embedded generator of noise.")
  boolean gan;

  @Option(
      names = "--complete",
      paramLabel = "IMAGE",
      description = "ImageGPT: the image to go on from.")
  @Nullable ImageSource complete;

  @Option(
      names = "--keep",
      paramLabel = "SHARE",
      defaultValue = "0.5",
      description = "The share of its pixels that is kept, from the top. Default: 0.5.")
  @Range(min = 0, max = 1)
  double keep;

  @Option(
      names = "--to-seed",
      paramLabel = "N",
      description = "A generator: the images from --seed to this one, --count of them.")
  @Range
  @Nullable Long toSeed;

  @Option(
      names = "--noise",
      paramLabel = "FILE",
      description = "A generator: noise from an .npy file, float32, [images, numbers].")
  @Nullable Path noise;

  @Option(
      names = "--values",
      paramLabel = "FILE",
      description = "Write the values as the model gives them, too: .npy, float32.")
  @Nullable Path values;

  @Option(
      names = "--preview",
      arity = "0..1",
      fallbackValue = "",
      paramLabel = "FILE",
      description =
          "Show images while they are drawn, gray where nothing is yet: in the terminal, or as a PNG"
              + " that is replaced again and again.")
  @Nullable String preview;

  @Option(
      names = "--preview-every",
      paramLabel = "N",
      description = "Show them after every N codes. Default: eight times.")
  @Range(min = 1)
  @Nullable Integer previewEvery;

  @Mixin GeneratorMixin model = new GeneratorMixin();

  public GenerateCommand(Io io) {
    super(io);
  }

  @Override
  protected int run() throws IOException {
    long first = seed == null ? new SplittableRandom().nextLong(1L << 31) : seed;
    DrawOptions options =
        new DrawOptions(first, temperature, topK, guidance == null ? OF_TEXT : guidance, count);
    CancellationFlag flag = new CancellationFlag();
    try (var interrupt = new Interrupt();
        var progress = progress()) {
      interrupt.onInterrupt(flag::cancel);
      Drawn drawn = ImageMaker.of(this).draw(options, progress, flag);
      progress.done();
      write(drawn, first);
    }
    return ExitCode.OK;
  }

  /**
   * What was drawn.
   *
   * @param codes of each image, empty where there are none
   * @param guidance that was drawn with
   * @param words what the image was made of besides
   */
  record Drawn(
      String model,
      List<RgbImage> images,
      List<int[]> codes,
      double guidance,
      Map<String, String> words) {}

  /** Where images are kept while they are drawn; null for nowhere. */
  @Nullable Path previewFile() {
    return preview == null || preview.isEmpty() ? null : Path.of(preview);
  }

  private void write(Drawn drawn, long first) throws IOException {
    RgbImage image = Grid.of(drawn.images());
    Map<String, String> words = new LinkedHashMap<>();
    words.put("Software", "ocellus generate");
    words.put("Model", drawn.model());
    words.put("Seed", Long.toString(first));
    words.put("Settings", settings(drawn.guidance()));
    words.putAll(drawn.words());
    Path file =
        out != null ? out : printsJson() ? null : Path.of("generated-%d.png".formatted(first));
    for (Path each : new Path[] {file, previewFile()}) {
      if (each != null) {
        PngImages.write(each, image, words);
      }
    }
    if (printsJson()) {
      printJson(json(drawn, first, file));
      return;
    }
    Preview preview = io().outTerminal() ? Preview.of(io().environment()) : Preview.OFF;
    io().out().print(preview.render(image, io().environment()));
    io().out().printf("%s  seed %d, %s%n", file, first, image.size());
  }

  private String settings(double used) {
    return String.format(
        Locale.ROOT,
        "count=%d temperature=%s top_k=%d guidance=%s",
        count,
        temperature,
        topK,
        used);
  }

  private ObjectNode json(Drawn drawn, long first, @Nullable Path file) {
    ObjectNode node = Json.object();
    node.put("model", drawn.model());
    node.put("seed", first);
    node.put("count", count);
    drawn.words().forEach((word, text) -> node.put(word.toLowerCase(Locale.ROOT), text));
    if (drawn.codes().size() == 1) {
      node.set("codes", Json.array(drawn.codes().getFirst()));
    } else if (!drawn.codes().isEmpty()) {
      ArrayNode all = node.putArray("codes");
      drawn.codes().forEach(codes -> all.add(Json.array(codes)));
    }
    if (file != null) {
      node.put("png", file.toString());
    }
    return node;
  }
}
