package dev.ocellus.cli.generate;

import dev.ocellus.cli.command.Checkpoints;
import dev.ocellus.cli.terminal.Progress;
import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.convert.Converter;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.vlm.generation.CodeModel;
import dev.ocellus.vlm.generation.ComputeOptions;
import dev.ocellus.vlm.generation.DecodedImage;
import dev.ocellus.vlm.generation.DrawOptions;
import dev.ocellus.vlm.generation.ImageCodes;
import dev.ocellus.vlm.generation.NoiseGenerator;
import dev.ocellus.vlm.generation.PixelModel;
import dev.ocellus.vlm.generation.TextToImage;
import dev.ocellus.vlm.generation.VqModel;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.model.ModelKind;
import dev.ocellus.vlm.npy.NpyArray;
import dev.ocellus.vlm.npy.NpyFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Draws with the kind of model that the options name. */
final class ImageMaker {
  private final GenerateCommand command;
  private final ComputeOptions options;

  private ImageMaker(GenerateCommand command) {
    this.command = command;
    options = command.model.options();
  }

  static ImageMaker of(GenerateCommand command) {
    return new ImageMaker(command);
  }

  GenerateCommand.Drawn draw(DrawOptions draw, Progress progress, CancellationFlag flag)
      throws IOException {
    Path model = command.model.model;
    if (command.gan && model != null) {
      throw command.usage("--gan is the embedded generator; leave it out, or -m");
    }
    if (model == null) {
      return command.gan
          ? noise(EmbeddedModels.gan(command), draw, flag)
          : classes(EmbeddedModels.vq(command, command.model), draw, progress, flag);
    }
    Path file = Checkpoints.generator(command, model);
    progress.start("loading " + command.nameOf(file));
    try (GgufFile gguf = GgufFile.open(file)) {
      ModelKind kind = ModelKind.of(gguf.metadata());
      boolean hasHead = gguf.findTensor("gen.embd.weight").isPresent();
      return switch (kind) {
        case TEXT -> text(file, generatorOf(file), draw, progress, flag);
        case VQ ->
            hasHead
                ? text(textOf(model, file), file, draw, progress, flag)
                : classes(file, draw, progress, flag);
        case PIXEL_MODEL -> pixels(file, draw, progress, flag);
        case GAN -> noise(file, draw, flag);
        default -> classes(file, draw, progress, flag); // which tells what it is
      };
    }
  }

  private Path generatorOf(Path text) throws IOException {
    return command.generator != null ? command.generator : Companions.generatorOf(command, text);
  }

  private Path textOf(Path model, Path file) throws IOException {
    return Converter.isCheckpoint(model)
        ? Checkpoints.text(command, model)
        : Companions.textOf(command, file);
  }

  /** As the user called it; files of converted folders have names of their own. */
  private String name(Path file) {
    Path given = command.model.model;
    Path shown = given != null ? given.toAbsolutePath().normalize() : file;
    return String.valueOf(shown.getFileName());
  }

  private String prompt(String what) {
    if (command.prompt == null) {
      throw command.usage("%s: give it with -p".formatted(what));
    }
    return command.prompt;
  }

  /** What a model has no use for is not left out silently. */
  private void requireNone(String what, String option, @Nullable Object given) {
    if (given != null) {
      throw command.usage("%s: the model %s, and has no use for it".formatted(option, what));
    }
  }

  private void requireNoNoise(String what) {
    requireNone(what, "--noise", command.noise);
    requireNone(what, "--to-seed", command.toSeed);
  }

  /** Shows what is drawn, and goes away when it is. */
  private <T> T shown(
      Progress progress,
      DrawingPreview.Painter painter,
      Function<DrawOptions.Listener, T> drawing) {
    DrawingPreview preview = DrawingPreview.of(command, progress, painter);
    try {
      return drawing.apply(preview);
    } finally {
      preview.finish();
    }
  }

  /** Codes of squares, as all that draw codes make them. */
  private static DrawingPreview.Painter painter(VqModel vq, CancellationFlag flag) {
    return (codes, done) -> {
      int side = (int) Math.round(Math.sqrt(codes.length));
      return vq.decodePartly(new ImageCodes(side, side, codes), done, flag);
    };
  }

  private GenerateCommand.Drawn text(
      Path text, Path file, DrawOptions draw, Progress progress, CancellationFlag flag)
      throws IOException {
    requireNone("draws what a text says", "--complete", command.complete);
    requireNoNoise("draws what a text says");
    String prompt = prompt("this model draws what a text says");
    try (TextToImage janus = TextToImage.open(text, file, options)) {
      List<ImageCodes> codes =
          shown(
              progress,
              painter(janus.vq(), flag),
              listener -> janus.draw(prompt, draw, listener, flag));
      return decoded(
          name(text), janus.vq(), codes, draw.guidance(), Map.of("Prompt", prompt), flag);
    }
  }

  private GenerateCommand.Drawn classes(
      Path file, DrawOptions draw, Progress progress, CancellationFlag flag) throws IOException {
    requireNone("draws classes", "--complete", command.complete);
    requireNoNoise("draws classes");
    try (CodeModel prior = CodeModel.open(file, options)) {
      if (!prior.isGuided()) {
        requireNone("draws classes without guidance", "--guidance", command.guidance);
      }
      int[] classes = new int[draw.count()];
      List<String> names = new ArrayList<>();
      for (int i = 0; i < classes.length; i++) {
        // a class of its own for each seed, where none was asked for
        classes[i] =
            command.prompt != null
                ? prior.classOf(command.prompt)
                : new SplittableRandom(draw.seed() + i).nextInt(prior.classes().size());
        names.add(prior.classes().get(classes[i]));
      }
      DrawOptions guided =
          command.guidance == null ? draw.withGuidance(GenerateCommand.OF_CLASSES) : draw;
      List<ImageCodes> codes =
          shown(
              progress,
              painter(prior.vq(), flag),
              listener -> prior.draw(classes, guided, listener, flag));
      return decoded(
          name(file),
          prior.vq(),
          codes,
          prior.isGuided() ? guided.guidance() : 1,
          Map.of("Class", String.join(", ", names)),
          flag);
    }
  }

  private GenerateCommand.Drawn decoded(
      String model,
      VqModel vq,
      List<ImageCodes> codes,
      double guidance,
      Map<String, String> words,
      CancellationFlag flag)
      throws IOException {
    List<DecodedImage> images = new ArrayList<>();
    for (ImageCodes each : codes) {
      images.add(vq.decode(each, flag));
    }
    writeValues(images);
    return new GenerateCommand.Drawn(
        model,
        images.stream().map(DecodedImage::image).toList(),
        codes.stream().map(ImageCodes::codes).toList(),
        guidance,
        words);
  }

  private GenerateCommand.Drawn pixels(
      Path file, DrawOptions draw, Progress progress, CancellationFlag flag) throws IOException {
    requireNone("draws pixels", "--prompt", command.prompt);
    requireNone("draws pixels", "--guidance", command.guidance);
    requireNoNoise("draws pixels");
    Map<String, String> words = new LinkedHashMap<>();
    try (PixelModel gpt = PixelModel.open(file, options)) {
      int[] given = new int[0];
      if (command.complete != null) {
        int[] all = gpt.colours(command.complete.read(command.io()).image());
        given = Arrays.copyOf(all, (int) Math.round(all.length * command.keep));
        words.put("Given", "%d pixels of %s".formatted(given.length, command.complete));
      }
      int[] start = given;
      List<int[]> drawn =
          shown(progress, gpt::imagePartly, listener -> gpt.draw(start, draw, listener, flag));
      List<RgbImage> images = drawn.stream().map(gpt::image).toList();
      return new GenerateCommand.Drawn(name(file), images, drawn, 1, words);
    }
  }

  private GenerateCommand.Drawn noise(Path file, DrawOptions draw, CancellationFlag flag)
      throws IOException {
    requireNone("makes images of noise", "--prompt", command.prompt);
    requireNone("makes images of noise", "--complete", command.complete);
    requireNone("makes images of noise", "--guidance", command.guidance);
    requireNone("makes images of noise at once", "--preview", command.preview);
    try (NoiseGenerator gan = NoiseGenerator.open(file, options)) {
      Map<String, String> words = new LinkedHashMap<>();
      List<float[]> z;
      Long toSeed = command.toSeed;
      if (command.noise != null) {
        z = read(command.noise, gan.latent());
        words.put("Noise", command.noise.toString());
      } else if (toSeed != null) {
        if (draw.count() < 2) {
          throw command.usage("--to-seed wants --count of at least 2");
        }
        z = NoiseGenerator.between(gan.noise(draw.seed()), gan.noise(toSeed), draw.count());
        words.put("To", Long.toString(toSeed));
      } else {
        z = IntStream.range(0, draw.count()).mapToObj(i -> gan.noise(draw.seed() + i)).toList();
      }
      List<DecodedImage> images = gan.generate(z, flag);
      writeValues(images);
      return new GenerateCommand.Drawn(
          name(file), images.stream().map(DecodedImage::image).toList(), List.of(), 1, words);
    }
  }

  private List<float[]> read(Path file, int latent) throws IOException {
    NpyArray array = NpyFile.read(file);
    float @Nullable [] all = array.floats();
    if (all == null || all.length == 0 || all.length % latent != 0) {
      throw command.usage(
          "--noise: expected float32, %d numbers for an image, found %s"
              .formatted(latent, Arrays.toString(array.shape())));
    }
    List<float[]> rows = new ArrayList<>();
    for (int at = 0; at < all.length; at += latent) {
      rows.add(Arrays.copyOfRange(all, at, at + latent));
    }
    return rows;
  }

  /** [images, 3, height, width]. */
  private void writeValues(List<DecodedImage> images) throws IOException {
    if (command.values == null) {
      return;
    }
    int each = images.getFirst().values().length;
    float[] all = new float[Math.multiplyExact(each, images.size())];
    for (int i = 0; i < images.size(); i++) {
      System.arraycopy(images.get(i).values(), 0, all, i * each, each);
    }
    RgbImage first = images.getFirst().image();
    NpyFile.writeFloats(command.values, all, images.size(), 3, first.height(), first.width());
  }
}
