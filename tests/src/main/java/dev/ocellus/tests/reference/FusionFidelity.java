package dev.ocellus.tests.reference;

import static java.util.Objects.requireNonNull;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.convert.ConvertOptions;
import dev.ocellus.convert.ConvertProgress;
import dev.ocellus.convert.Converter;
import dev.ocellus.convert.common.OutputType;
import dev.ocellus.safetensors.SafetensorsFile;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.imagetext.ImageCaptioner;
import dev.ocellus.vlm.imagetext.ImageTextMatch;
import dev.ocellus.vlm.imagetext.ImageTextMatcher;
import dev.ocellus.vlm.imagetext.ImageTextOptions;
import dev.ocellus.vlm.imagetext.VisualQuestionAnswerer;
import dev.ocellus.vlm.vision.Tiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** The part of docs/fidelity.md about models whose texts attend to images. */
final class FusionFidelity {
  private static final ImageTextOptions CPU = ImageTextOptions.cpu(1);
  private static final String VISION = "vision.last_hidden";

  private FusionFidelity() {}

  /** One case: largest errors of pixels, image states and what comes out, and the ids. */
  private record Row(float pixels, float vision, String output, float error, String ids) {}

  static String section(List<Reference> references) throws IOException {
    var text =
        new StringBuilder(
            """

            ## Captions, answers and matches

            BLIP, converted by `ocellus convert`. *Image states* and *output* are the largest errors of what texts attend to (rms 1) and of the decoder's logits (rms 3 to 5) or of the scores (two logits and a cosine).

            | model | case | pixels | image states | output | ids |
            |---|---|---|---|---|---|
            """);
    Set<String> seen = new HashSet<>();
    Path directory = Files.createTempDirectory("ocellus-fidelity");
    for (Reference reference : references) {
      for (FusionReference model : FusionReference.in(reference)) {
        String name = seen.add(model.model()) ? model.model() : model.model() + ", another";
        Path file = directory.resolve(name + ".gguf");
        Converter.convert(
            model.checkpoint(),
            ConvertOptions.defaults()
                .withOutput(file, null)
                .withTypes(OutputType.F32, OutputType.F32),
            ConvertProgress.NONE);
        for (FusionReference.Case c : model.cases()) {
          Row row = row(model.trade(), file, c);
          text.append(
              String.format(
                  Locale.ROOT,
                  "| %s | %s | %s | %.1e | %s %.1e | %s |%n",
                  name,
                  c.name(),
                  row.pixels == 0 ? "0" : String.format(Locale.ROOT, "%.1e", row.pixels),
                  row.vision,
                  row.output,
                  row.error,
                  row.ids));
        }
        Files.delete(file);
      }
    }
    Files.delete(directory);
    return text.toString();
  }

  private static Row row(FusionReference.Trade trade, Path file, FusionReference.Case c)
      throws IOException {
    return switch (trade) {
      case CAPTION -> caption(file, c);
      case ANSWER -> answer(file, c);
      case MATCH -> match(file, c);
    };
  }

  private static Row caption(Path file, FusionReference.Case c) throws IOException {
    try (ImageCaptioner model = ImageCaptioner.open(file, CPU);
        SafetensorsFile expected = c.values().expected()) {
      int[] ids = c.ids("caption_ids");
      int n = model.tokenize(c.text()).ids().length;
      int[] written =
          model
              .caption(
                  c.image(),
                  c.text(),
                  ImageCaptioner.defaults().withMaxTokens(ids.length - n),
                  AnswerListener.NONE,
                  new CancellationFlag())
              .tokens();
      return row(
          c,
          expected,
          model.prepare(c.image()),
          model.stages(c.image(), List.of(VISION)),
          model.logits(c.image(), ids),
          same(written, Arrays.copyOfRange(ids, n, ids.length)));
    }
  }

  private static Row answer(Path file, FusionReference.Case c) throws IOException {
    try (VisualQuestionAnswerer model = VisualQuestionAnswerer.open(file, CPU);
        SafetensorsFile expected = c.values().expected()) {
      int[] ids = c.ids("answer_ids");
      int[] written =
          model
              .answer(
                  c.image(),
                  c.text(),
                  VisualQuestionAnswerer.defaults().withMaxTokens(ids.length - 1),
                  AnswerListener.NONE,
                  new CancellationFlag())
              .tokens();
      return row(
          c,
          expected,
          model.prepare(c.image()),
          model.stages(c.image(), List.of(VISION)),
          model.logits(c.image(), c.text(), ids),
          same(written, Arrays.copyOfRange(ids, 1, ids.length)));
    }
  }

  private static Row row(
      FusionReference.Case c,
      SafetensorsFile expected,
      Tiles tile,
      Map<String, float[]> stages,
      float[][] logits,
      String ids) {
    float error =
        (float)
            Difference.of(Difference.concat(List.of(logits)), expected.floats("decoder.logits"))
                .maxError();
    return new Row(pixels(c, expected, tile), vision(expected, stages), "logits", error, ids);
  }

  private static Row match(Path file, FusionReference.Case c) throws IOException {
    try (ImageTextMatcher model = ImageTextMatcher.open(file, CPU);
        SafetensorsFile expected = c.values().expected()) {
      ImageTextMatch match = model.match(c.image(), c.text());
      float[] found = {match.noMatchLogit(), match.matchLogit(), (float) match.cosine()};
      float[] wanted =
          Difference.concat(List.of(expected.floats("itm_score"), expected.floats("itc_score")));
      return new Row(
          pixels(c, expected, model.prepare(c.image())),
          vision(expected, model.stages(c.image(), List.of(VISION))),
          "scores",
          (float) Difference.of(found, wanted).maxError(),
          same(model.tokenize(c.text()).ids(), c.ids("input_ids")));
    }
  }

  private static float pixels(FusionReference.Case c, SafetensorsFile expected, Tiles tile) {
    return (float) Difference.of(tile.pixels(), c.values().pixelValues(expected)).maxError();
  }

  private static float vision(SafetensorsFile expected, Map<String, float[]> stages) {
    return (float)
        Difference.of(requireNonNull(stages.get(VISION)), expected.floats(VISION)).maxError();
  }

  private static String same(int[] found, int[] wanted) {
    int n = Arrays.mismatch(found, wanted);
    return "%d of %d".formatted(n < 0 ? wanted.length : n, wanted.length);
  }
}
