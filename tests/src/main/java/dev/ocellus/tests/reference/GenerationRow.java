package dev.ocellus.tests.reference;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.convert.ConvertOptions;
import dev.ocellus.convert.ConvertOptions.Encoders;
import dev.ocellus.convert.ConvertProgress;
import dev.ocellus.convert.Converter;
import dev.ocellus.convert.common.OutputType;
import dev.ocellus.safetensors.SafetensorsFile;
import dev.ocellus.vlm.generation.ComputeOptions;
import dev.ocellus.vlm.generation.DecodedImage;
import dev.ocellus.vlm.generation.DrawOptions;
import dev.ocellus.vlm.generation.ImageCodes;
import dev.ocellus.vlm.generation.ImageScore;
import dev.ocellus.vlm.generation.PixelModel;
import dev.ocellus.vlm.generation.TextToImage;
import dev.ocellus.vlm.generation.VqModel;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.RgbImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;

/**
 * How far one case of a model that makes images is from the reference; NaN for what it has not.
 *
 * @param codes how many are equal, of how many: codes of the image or text, or colours
 * @param latents largest error of what the encoder gives
 * @param pixels largest error of what the decoder gives
 * @param levels largest difference of the image's bytes
 * @param logits largest error of logits
 * @param nats error of the log-likelihood
 * @param drawn how many colours of the completion are equal, of how many
 */
record GenerationRow(
    String model,
    String name,
    int[] codes,
    double latents,
    double pixels,
    double levels,
    double logits,
    double nats,
    int[] drawn) {
  private static final CancellationFlag NEVER = new CancellationFlag();
  private static final int[] NONE = {0, 0};

  /** Converts a checkpoint to a file in a folder; a text model besides, if it has one. */
  static Path converted(GenerationReference reference, Path folder) throws IOException {
    Path file = folder.resolve(reference.model() + ".gguf");
    Path generator = folder.resolve("gen-" + reference.model() + ".gguf");
    if (!Files.exists(file)) {
      Converter.convert(
          reference.checkpoint(),
          ConvertOptions.defaults()
              .withOutput(file, null)
              .withTypes(OutputType.F32, OutputType.F32)
              .withParts(hasText(reference), Encoders.NO),
          ConvertProgress.NONE);
    }
    return Files.exists(generator) ? generator : file;
  }

  private static boolean hasText(GenerationReference reference) {
    return Files.exists(reference.checkpoint().resolve("tokenizer.json"));
  }

  /** Computes a case with a file of {@link #converted}. */
  static GenerationRow of(
      GenerationReference reference, GenerationReference.Case c, Path file, ComputeOptions options)
      throws IOException {
    String model = reference.model();
    return switch (c.kind()) {
      case CODES -> ofCodes(model, c, file, options);
      case TEXT -> ofText(model, c, file, options);
      case COLOURS -> ofColours(model, c, file, options);
      case OTHER -> throw new IllegalArgumentException(c.name());
    };
  }

  private static GenerationRow ofCodes(
      String model, GenerationReference.Case c, Path file, ComputeOptions options)
      throws IOException {
    try (VqModel vq = VqModel.open(file, options);
        SafetensorsFile expected = c.expected()) {
      ImageSize size = vq.imageSize();
      RgbImage image = vq.fit(c.image(), size);
      ImageCodes codes = vq.encode(image);
      double latents = Difference.of(vq.latents(image), expected.floats("encoder.out")).maxError();
      double pixels = Double.NaN;
      double levels = Double.NaN;
      if (vq.decodes()) {
        ImageCodes same = new ImageCodes(codes.width(), codes.height(), c.ints("codes"));
        DecodedImage decoded = vq.decode(same);
        float[] wanted = expected.floats("reconstruction");
        pixels = Difference.of(decoded.values(), wanted).maxError();
        levels = levels(decoded.image(), wanted);
      }
      return new GenerationRow(
          model,
          c.name(),
          equal(codes.codes(), c.ints("codes")),
          latents,
          pixels,
          levels,
          Double.NaN,
          Double.NaN,
          NONE);
    }
  }

  private static GenerationRow ofText(
      String model, GenerationReference.Case c, Path generator, ComputeOptions options)
      throws IOException {
    Path text = generator.resolveSibling(model + ".gguf");
    DrawOptions greedy =
        DrawOptions.seeded(1)
            .withTemperature(0)
            .withGuidance(c.json().get("guidance_scale").asDouble());
    try (TextToImage janus = TextToImage.open(text, generator, options);
        SafetensorsFile expected = c.expected()) {
      int n = janus.vq().nCodes();
      float[] cond = expected.floats("logits.cond");
      float[] uncond = expected.floats("logits.uncond");
      double[] worst = new double[1];
      ImageCodes codes =
          janus
              .drawObserved(
                  c.json().get("text").asText(),
                  greedy,
                  (place, logits) -> {
                    worst[0] = Math.max(worst[0], error(logits, 0, cond, place * n, n));
                    worst[0] = Math.max(worst[0], error(logits, n, uncond, place * n, n));
                  },
                  NEVER)
              .getFirst();
      DecodedImage decoded =
          janus.vq().decode(new ImageCodes(codes.width(), codes.height(), c.ints("codes")));
      float[] wanted = planes(expected.floats("decoded_pixels"));
      return new GenerationRow(
          model,
          c.name(),
          equal(codes.codes(), c.ints("codes")),
          Double.NaN,
          Difference.of(decoded.values(), wanted).maxError(),
          levels(decoded.image(), wanted),
          worst[0],
          Double.NaN,
          NONE);
    }
  }

  private static GenerationRow ofColours(
      String model, GenerationReference.Case c, Path file, ComputeOptions options)
      throws IOException {
    try (PixelModel gpt = PixelModel.open(file, options);
        SafetensorsFile expected = c.expected()) {
      int[] ids = gpt.colours(c.image());
      ImageScore score = gpt.score(c.ints("pixel_ids"), NEVER);
      int given = c.json().get("given").asInt();
      DrawOptions greedy = DrawOptions.seeded(1).withTemperature(0);
      int[] drawn =
          gpt.draw(
                  Arrays.copyOf(c.ints("pixel_ids"), given),
                  greedy,
                  DrawOptions.Listener.NONE,
                  NEVER)
              .getFirst();
      double bits = score.bitsPerDimension() - c.json().get("bits_per_pixel").asDouble();
      double nats = score.logLikelihood() - c.json().get("log_likelihood").asDouble();
      return new GenerationRow(
          model,
          c.name(),
          equal(ids, c.ints("pixel_ids")),
          Double.NaN,
          Double.NaN,
          Double.NaN,
          Difference.of(gpt.logits(c.ints("pixel_ids")), expected.floats("logits")).maxError(),
          Math.max(Math.abs(nats), Math.abs(bits)),
          equal(Arrays.copyOfRange(drawn, given, drawn.length), c.ints("greedy_pixels")));
    }
  }

  private static int[] equal(int[] found, int[] expected) {
    int same = 0;
    for (int i = 0; i < Math.min(found.length, expected.length); i++) {
      same += found[i] == expected[i] ? 1 : 0;
    }
    return new int[] {same, Math.max(found.length, expected.length)};
  }

  private static double error(float[] a, int fromA, float[] b, int fromB, int n) {
    return Difference.of(
            Arrays.copyOfRange(a, fromA, fromA + n), Arrays.copyOfRange(b, fromB, fromB + n))
        .maxError();
  }

  /** [height, width, 3] to [3, height, width]. */
  private static float[] planes(float[] values) {
    float[] out = new float[values.length];
    int plane = values.length / 3;
    for (int i = 0; i < values.length; i++) {
      out[i % 3 * plane + i / 3] = values[i];
    }
    return out;
  }

  /** From an image to values from -1 to 1, [3, height, width], in steps of a byte. */
  private static double levels(RgbImage image, float[] values) {
    byte[] bytes = image.toByteArray();
    int plane = bytes.length / 3;
    double worst = 0;
    for (int i = 0; i < bytes.length; i++) {
      double value = Math.rint(255 * (values[i % 3 * plane + i / 3] * 0.5 + 0.5));
      worst = Math.max(worst, Math.abs((bytes[i] & 0xFF) - Math.clamp(value, 0, 255)));
    }
    return worst;
  }

  boolean allCodesEqual() {
    return codes[0] == codes[1] && drawn[0] == drawn[1];
  }

  String markdown() {
    return "| %s | %s | %s | %s | %s | %s | %s | %s | %s |%n"
        .formatted(
            model,
            name,
            share(codes),
            shown(latents),
            shown(pixels),
            Double.isNaN(levels) ? "-" : Integer.toString((int) levels),
            shown(logits),
            shown(nats),
            share(drawn));
  }

  private static String share(int[] counts) {
    return counts[1] == 0
        ? "-"
        : counts[0] == counts[1] ? "equal" : "%d of %d".formatted(counts[0], counts[1]);
  }

  private static String shown(double error) {
    return Double.isNaN(error) ? "-" : error == 0 ? "0" : String.format(Locale.ROOT, "%.1e", error);
  }
}
