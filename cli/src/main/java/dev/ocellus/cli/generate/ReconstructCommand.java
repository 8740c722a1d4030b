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
import dev.ocellus.cli.terminal.Preview;
import dev.ocellus.cli.terminal.Progress;
import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.vlm.generation.DecodedImage;
import dev.ocellus.vlm.generation.ImageCodes;
import dev.ocellus.vlm.generation.ImageQuality;
import dev.ocellus.vlm.generation.PngImages;
import dev.ocellus.vlm.generation.VqModel;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.npy.NpyFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Images to codes and back. */
@Command(
    name = "reconstruct",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    header = ReconstructCommand.HEADER,
    description = {
      "Brings each image to the model's size, computes its codes and what the decoder makes of them,"
          + " and tells how like the two images are (PSNR in dB, SSIM).",
      "Writes the image beside the original, as NAME.reconstructed.png; with --out DIR the files"
          + " N.png, N.codes.npy (int32) and N.decoded.npy (float32, as the decoder gives it), N"
          + " counting from 0. A model without a decoder gives codes only."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  ocellus reconstruct docs/pictures/red-circle.png",
      "  ocellus reconstruct -m vqgan_imagenet_f16 photo.jpg --out results --json",
      "  ocellus reconstruct -m vqgan.gguf --size 512x256 wide.png",
      "",
      "Exit codes: 0 all done, 1 an image or the model failed, 2 wrong command line, 130 Ctrl-C."
    })
public final class ReconstructCommand extends OcellusCommand {
  /** What it does, in one line. */
  public static final String HEADER =
      "Makes codes of images and images of the codes (VQGAN, VQ-VAE).";

  @Parameters(
      paramLabel = "IMAGE",
      arity = "1..*",
      description = "Images: paths, file: URLs, or - for standard input.")
  List<ImageSource> images = new ArrayList<>();

  @Option(
      names = {"-o", "--out"},
      paramLabel = "DIR",
      description = "Folder for images, codes and values; it is made if it is not there.")
  @Nullable Path out;

  @Option(
      names = "--size",
      paramLabel = "WxH",
      description = "Pixels that the image is brought to. Default: the model's size.")
  @Nullable String size;

  @Mixin GeneratorMixin model = new GeneratorMixin();

  public ReconstructCommand(Io io) {
    super(io);
  }

  @Override
  protected int run() throws IOException {
    ImageSize wanted = size == null ? null : Sizes.parse(this, "--size", size);
    var options = model.options();
    RgbImage only = images.size() == 1 ? images.getFirst().read(io()).image() : null;
    Path file = EmbeddedModels.vq(this, model);
    if (out != null) {
      Files.createDirectories(out);
    }
    CancellationFlag flag = new CancellationFlag();
    try (var interrupt = new Interrupt();
        var progress = progress();
        VqModel vq = VqModel.open(file, options)) {
      interrupt.onInterrupt(flag::cancel);
      return all(vq, wanted == null ? vq.imageSize() : wanted, only, progress, flag);
    }
  }

  private int all(
      VqModel vq,
      ImageSize target,
      @Nullable RgbImage only,
      Progress progress,
      CancellationFlag flag)
      throws IOException {
    ArrayNode results = Json.array();
    int code = ExitCode.OK;
    for (int i = 0; i < images.size(); i++) {
      ImageSource source = images.get(i);
      progress.start("reconstructing " + source);
      try {
        RgbImage image = only != null ? only : source.read(io()).image();
        results.add(one(vq, source, vq.fit(image, target), i, progress, flag));
      } catch (IOException | OcellusException e) {
        if (only != null || flag.isCancelled()) {
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

  private ObjectNode one(
      VqModel vq,
      ImageSource source,
      RgbImage image,
      int number,
      Progress progress,
      CancellationFlag flag)
      throws IOException {
    ImageCodes codes = vq.encode(image, flag);
    DecodedImage decoded = vq.decodes() ? vq.decode(codes, flag) : null;
    progress.done();
    ObjectNode node = Json.object();
    node.put("image", source.toString());
    node.put("model", vq.family());
    node.put("width", image.width());
    node.put("height", image.height());
    node.put("codebook_size", vq.nCodes());
    node.putArray("grid").add(codes.height()).add(codes.width());
    node.set("codes", Json.array(codes.codes()));
    if (decoded != null) {
      ImageQuality quality = ImageQuality.of(image, decoded.image());
      node.put("psnr", quality.psnr());
      node.put("ssim", quality.ssim());
    }
    write(vq, source, number, codes, decoded, node);
    if (!printsJson()) {
      print(source, codes, decoded, node);
    }
    return node;
  }

  private void write(
      VqModel vq,
      ImageSource source,
      int number,
      ImageCodes codes,
      @Nullable DecodedImage decoded,
      ObjectNode node)
      throws IOException {
    Map<String, String> words = words(vq, source);
    Path folder = out;
    if (folder == null) {
      Path original = beside(source);
      if (decoded != null && original != null) {
        PngImages.write(original, decoded.image(), words);
        node.put("png", original.toString());
      }
      return;
    }
    Path npy = folder.resolve(number + ".codes.npy");
    NpyFile.writeInts(npy, codes.codes(), 1, codes.codes().length);
    node.put("codes_npy", npy.toString());
    if (decoded != null) {
      Path values = folder.resolve(number + ".decoded.npy");
      int width = decoded.image().width();
      NpyFile.writeFloats(values, decoded.values(), 1, 3, decoded.image().height(), width);
      Path png = folder.resolve(number + ".png");
      PngImages.write(png, decoded.image(), words);
      node.put("decoded_npy", values.toString()).put("png", png.toString());
    }
  }

  private Map<String, String> words(VqModel vq, ImageSource source) {
    Map<String, String> words = new LinkedHashMap<>();
    words.put("Software", "ocellus reconstruct");
    words.put("Model", nameOf(vq.path()));
    words.put("Source", source.toString());
    return words;
  }

  /** The file's name in its own folder; nothing for standard input and data URLs. */
  private static @Nullable Path beside(ImageSource source) {
    String name = source.name();
    if (name.equals(ImageSource.STANDARD_INPUT) || source.isInline()) {
      return null;
    }
    Path path = name.startsWith("file:") ? Path.of(java.net.URI.create(name)) : Path.of(name);
    String file = String.valueOf(path.getFileName());
    int dot = file.lastIndexOf('.');
    return path.resolveSibling((dot > 0 ? file.substring(0, dot) : file) + ".reconstructed.png");
  }

  private void print(
      ImageSource source, ImageCodes codes, @Nullable DecodedImage decoded, ObjectNode node) {
    String size = "%d x %d codes".formatted(codes.width(), codes.height());
    if (decoded == null) {
      io().out().printf("%s: %s; the model has no decoder%n", source, size);
      io().out().println(Json.array(codes.codes()));
      return;
    }
    Preview preview = io().outTerminal() ? Preview.of(io().environment()) : Preview.OFF;
    io().out().print(preview.render(decoded.image(), io().environment()));
    io().out()
        .printf(
            Locale.ROOT,
            "%s: %s, PSNR %.2f dB, SSIM %.4f%s%n",
            source,
            size,
            node.get("psnr").doubleValue(),
            node.get("ssim").doubleValue(),
            node.has("png") ? ", " + node.get("png").asText() : "");
  }
}
