package dev.ocellus.tests.reference;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.convert.ConvertOptions;
import dev.ocellus.convert.ConvertProgress;
import dev.ocellus.convert.Converter;
import dev.ocellus.convert.common.OutputType;
import dev.ocellus.gguf.GgufValue;
import dev.ocellus.gguf.MetadataType;
import dev.ocellus.quantize.file.GgufEditor;
import dev.ocellus.safetensors.SafetensorsFile;
import dev.ocellus.vlm.chat.Answer;
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
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Captions, answers and matches: pixels, ids, stages, logits and scores equal the reference's. */
class FusionFidelityTest {
  private static final ImageTextOptions CPU = ImageTextOptions.cpu(1);
  private static final String VISION = "vision.last_hidden";

  @TempDir Path directory;

  @TestFactory
  Stream<DynamicNode> equalsTransformers() {
    List<FusionReference> all =
        Reference.all().stream().flatMap(r -> FusionReference.in(r).stream()).toList();
    assertThat(all).isNotEmpty();
    return all.stream()
        .map(r ->
            DynamicContainer.dynamicContainer(
                r.model(),
                r.cases().stream()
                    .map(c -> DynamicTest.dynamicTest(c.name(), () -> compare(r, c)))));
  }

  private void compare(FusionReference reference, FusionReference.Case c) throws IOException {
    Path file = converted(reference);
    switch (reference.trade()) {
      case CAPTION -> compareCaption(file, c);
      case ANSWER -> compareAnswer(file, c);
      case MATCH -> compareMatch(file, c);
    }
  }

  private synchronized Path converted(FusionReference reference) throws IOException {
    Path file =
        directory.resolve("%s-%08x.gguf".formatted(reference.model(), reference.hashCode()));
    if (!Files.exists(file)) {
      Converter.convert(
          reference.checkpoint(),
          ConvertOptions.defaults()
              .withOutput(file, null)
              .withTypes(OutputType.F32, OutputType.F32),
          ConvertProgress.NONE);
    }
    return file;
  }

  private static void compareCaption(Path file, FusionReference.Case c) throws IOException {
    try (ImageCaptioner model = ImageCaptioner.open(file, CPU);
        SafetensorsFile expected = c.values().expected()) {
      compareImage(c, expected, model.prepare(c.image()), model.stages(c.image(), List.of(VISION)));
      int[] ids = c.ids("caption_ids");
      int[] beginning = model.tokenize(c.text()).ids();
      assertThat(Arrays.copyOf(ids, beginning.length)).isEqualTo(beginning);
      compareLogits(expected, model.logits(c.image(), ids));
      Answer caption =
          model.caption(
              c.image(),
              c.text(),
              ImageCaptioner.defaults().withMaxTokens(ids.length - beginning.length),
              AnswerListener.NONE,
              new CancellationFlag());
      assertThat(caption.tokens()).isEqualTo(Arrays.copyOfRange(ids, beginning.length, ids.length));
    }
    for (BeamCase search : c.beams()) {
      try (ImageCaptioner model = ImageCaptioner.open(ending(file, search.end()), CPU)) {
        Answer found =
            model.caption(
                c.image(), c.text(), search.options(), AnswerListener.NONE, new CancellationFlag());
        assertThat(found.tokens()).as("%s", search).isEqualTo(search.tokensOf(found));
      }
    }
  }

  /** The model with another token at the end of what it writes. */
  private static Path ending(Path file, int id) throws IOException {
    Path other = file.resolveSibling(id + "-" + file.getFileName());
    if (!Files.exists(other)) {
      var value = new GgufValue.Int(MetadataType.U32, id);
      GgufEditor.edit(
          file, other, List.of(new GgufEditor.Change.Set("tokenizer.ggml.eos_token_id", value)));
    }
    return other;
  }

  private static void compareAnswer(Path file, FusionReference.Case c) throws IOException {
    try (VisualQuestionAnswerer model = VisualQuestionAnswerer.open(file, CPU);
        SafetensorsFile expected = c.values().expected()) {
      compareImage(c, expected, model.prepare(c.image()), model.stages(c.image(), List.of(VISION)));
      assertThat(model.tokenize(c.text()).ids()).isEqualTo(c.ids("input_ids"));
      assertClose(
          "question.hidden",
          Difference.of(model.states(c.image(), c.text()), expected.floats("question.hidden")),
          Tolerances.EMBEDDINGS);
      int[] ids = c.ids("answer_ids");
      compareLogits(expected, model.logits(c.image(), c.text(), ids));
      Answer answer =
          model.answer(
              c.image(),
              c.text(),
              VisualQuestionAnswerer.defaults().withMaxTokens(ids.length - 1),
              AnswerListener.NONE,
              new CancellationFlag());
      assertThat(answer.tokens()).isEqualTo(Arrays.copyOfRange(ids, 1, ids.length));
    }
    for (BeamCase search : c.beams()) {
      try (var model = VisualQuestionAnswerer.open(ending(file, search.end()), CPU)) {
        Answer found =
            model.answer(
                c.image(), c.text(), search.options(), AnswerListener.NONE, new CancellationFlag());
        assertThat(found.tokens()).as("%s", search).isEqualTo(search.tokensOf(found));
      }
    }
  }

  private static void compareMatch(Path file, FusionReference.Case c) throws IOException {
    try (ImageTextMatcher model = ImageTextMatcher.open(file, CPU);
        SafetensorsFile expected = c.values().expected()) {
      compareImage(c, expected, model.prepare(c.image()), model.stages(c.image(), List.of(VISION)));
      assertThat(model.tokenize(c.text()).ids()).isEqualTo(c.ids("input_ids"));
      ImageTextMatch match = model.match(c.image(), c.text());
      float[] scores = {match.noMatchLogit(), match.matchLogit()};
      assertClose(
          "itm_score", Difference.of(scores, expected.floats("itm_score")), Tolerances.SCORES);
      float[] probabilities = {(float) (1 - match.probability()), (float) match.probability()};
      assertClose(
          "itm_probs",
          Difference.of(probabilities, expected.floats("itm_probs")),
          Tolerances.UNIT_VECTORS);
      assertClose(
          "itc_score",
          Difference.of(new float[] {(float) match.cosine()}, expected.floats("itc_score")),
          Tolerances.UNIT_VECTORS);
    }
  }

  private static void compareImage(
      FusionReference.Case c, SafetensorsFile expected, Tiles tile, Map<String, float[]> stages) {
    assertThat(Difference.of(tile.pixels(), c.values().pixelValues(expected)).maxError())
        .isLessThanOrEqualTo(Tolerances.PIXELS);
    assertClose(
        VISION,
        Difference.of(requireNonNull(stages.get(VISION)), expected.floats(VISION)),
        Tolerances.EMBEDDINGS);
  }

  private static void compareLogits(SafetensorsFile expected, float[][] found) {
    assertClose(
        "decoder.logits",
        Difference.of(Difference.concat(List.of(found)), expected.floats("decoder.logits")),
        Tolerances.SCORES);
  }

  private static void assertClose(String what, Difference difference, float tolerance) {
    System.out.printf("%s %s%n", what, difference);
    assertThat(difference.maxError()).as(what).isLessThan(tolerance);
  }
}
