package dev.ocellus.cli.inputs;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.cli.command.Checkpoints;
import dev.ocellus.cli.command.OcellusCommand;
import dev.ocellus.cli.command.Version;
import dev.ocellus.cli.options.ImageSource;
import dev.ocellus.cli.options.ModelMixin;
import dev.ocellus.cli.options.SeenImagesMixin;
import dev.ocellus.cli.terminal.ExitCode;
import dev.ocellus.cli.terminal.Interrupt;
import dev.ocellus.cli.terminal.Io;
import dev.ocellus.cli.terminal.Json;
import dev.ocellus.convert.cache.CheckpointCache;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.vlm.DemoModel;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.encoder.ImageEmbeddings;
import dev.ocellus.vlm.encoder.VisionEncoder;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.json.AnswerJson;
import dev.ocellus.vlm.npy.NpyFile;
import dev.ocellus.vlm.options.LoadOptions;
import dev.ocellus.vlm.vision.ImageInput;
import dev.ocellus.vlm.vision.ImageOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Images to the embeddings that the text model sees. */
@Command(
    name = "encode",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    header = EncodeCommand.HEADER,
    description = {
      "Writes, for image N from 0, N.embeddings.npy (float32, [rows, width], in the order in which they enter the text model). Prints JSON.",
      "With -m, checks that the text model takes embeddings of this width; a folder of a checkpoint has both."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  ocellus encode --mmproj mmproj.gguf --out embeddings a.png b.jpg",
      "  ocellus encode --mmproj mmproj.gguf --pixels --out embeddings a.png",
      "  ocellus encode -m Qwen3-VL-4B-Instruct --out embeddings a.png",
      "",
      "Exit codes: 0 all written, 1 failed, 2 wrong command line, 130 Ctrl-C."
    })
public final class EncodeCommand extends OcellusCommand {
  /** What it does, in one line. */
  public static final String HEADER =
      "Writes the image embeddings that the text model gets (.npy).";

  @Parameters(
      paramLabel = "IMAGE",
      arity = "1..*",
      description = "Images: paths, file: URLs, or - for standard input.")
  List<ImageSource> images = new ArrayList<>();

  @Option(
      names = {"-o", "--out"},
      paramLabel = "DIR",
      required = true,
      description = "Directory for the files; made if it is missing.")
  Path out = Path.of(".");

  @Option(
      names = "--pixels",
      description =
          "Also write N.pixels.npy: the preprocessed pixels that enter the encoder (float32, [tiles, 3, height, width]).")
  boolean pixels;

  @Mixin SeenImagesMixin seen = new SeenImagesMixin();
  @Mixin ModelMixin model = new ModelMixin();

  public EncodeCommand(Io io) {
    super(io);
  }

  @Override
  protected int run() throws IOException {
    ContextOptions context = checked(model::contextOptions);
    ImageOptions imageOptions = checked(model::imageOptions);
    Path text = model.model();
    Path mmproj = model.mmproj();
    if (text != null) {
      CheckpointCache.Converted pair = Checkpoints.resolve(this, text, mmproj);
      text = pair.text();
      mmproj = pair.mmproj();
    }
    if (mmproj == null) {
      if (text != null) {
        throw usage("-m is given without the image encoder that belongs to it (--mmproj)");
      }
      mmproj = DemoModel.files().mmproj();
      note(
          "no --mmproj given: the encoder of the embedded demo model %s is used"
              .formatted(DemoModel.NAME));
    }
    if (mmproj == null) {
      throw new IllegalStateException("the demo model has no image encoder");
    }
    if (text != null) {
      checkWidth(new LoadOptions(text, mmproj, checked(model::modelOptions), context, null));
    }
    Files.createDirectories(out);
    try (var interrupt = new Interrupt();
        var progress = progress()) {
      progress.start("loading " + nameOf(mmproj));
      long start = System.nanoTime();
      try (var encoder = model.openEncoder(this, mmproj)) {
        model.noteLimits(this, Optional.of(encoder));
        ObjectNode json = Json.object();
        json.put("mmproj", given(mmproj).toString());
        json.put("architecture", encoder.architecture().name());
        json.put("device", encoder.device().name());
        json.put("load_ms", Json.millis((System.nanoTime() - start) / 1e6));
        ArrayNode results = json.putArray("images");
        for (int i = 0; i < images.size(); i++) {
          interrupt.check();
          progress.start("encoding image %d of %d".formatted(i + 1, images.size()));
          results.add(encode(encoder, imageOptions, i));
        }
        progress.done();
        printJson(json);
      }
    }
    return ExitCode.OK;
  }

  /** Loading both files together is what compares their widths. */
  private static void checkWidth(LoadOptions options) throws IOException {
    VisionLanguageModel.open(options).close();
  }

  private ObjectNode encode(VisionEncoder encoder, ImageOptions imageOptions, int index)
      throws IOException {
    ImageSource source = images.get(index);
    long start = System.nanoTime();
    RgbImage image = source.read(io()).image();
    long decoded = System.nanoTime();
    ImageInput input = encoder.prepare(image, imageOptions);
    long prepared = System.nanoTime();
    ImageEmbeddings embeddings = encoder.states(encoder.encode(input));
    long encoded = System.nanoTime();
    Path file = out.resolve(index + ".embeddings.npy");
    NpyFile.writeFloats(file, embeddings.values(), embeddings.nTokens(), embeddings.width());
    ObjectNode json = Json.object();
    json.put("image", source.toString());
    json.put("index", index);
    json.setAll(AnswerJson.image(encoder.report(image, input, imageOptions)));
    json.put("rows", embeddings.nTokens());
    json.put("width", embeddings.width());
    json.put("embeddings", file.toString());
    if (seen.isAsked()) {
      json.set("preprocessed", seen.save(encoder, image, imageOptions, index));
    }
    if (pixels) {
      Path pixelFile = out.resolve(index + ".pixels.npy");
      NpyFile.writeFloats(
          pixelFile,
          input.pixels(),
          input.pixelShape().stream().mapToInt(Integer::intValue).toArray());
      ArrayNode shape = json.putArray("pixel_shape");
      input.pixelShape().forEach(shape::add);
      json.put("pixels", pixelFile.toString());
    }
    json.put("decode_ms", Json.millis((decoded - start) / 1e6));
    json.put("preprocess_ms", Json.millis((prepared - decoded) / 1e6));
    json.put("encode_ms", Json.millis((encoded - prepared) / 1e6));
    return json;
  }
}
