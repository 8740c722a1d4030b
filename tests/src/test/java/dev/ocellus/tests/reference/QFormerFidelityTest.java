package dev.ocellus.tests.reference;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.convert.ConvertOptions;
import dev.ocellus.convert.ConvertProgress;
import dev.ocellus.convert.Converter;
import dev.ocellus.convert.common.OutputType;
import dev.ocellus.gguf.TensorType;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.safetensors.SafetensorsFile;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.encoder.VisionEncoder;
import dev.ocellus.vlm.generate.ScoredConversation;
import dev.ocellus.vlm.image.Visual;
import dev.ocellus.vlm.options.LoadOptions;
import dev.ocellus.vlm.vision.ImageInput;
import dev.ocellus.vlm.vision.ImageOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * BLIP-2 and InstructBLIP: pixels, the states of the image and of the Q-Former, what the text model
 * gets, and the logits of every greedy token equal the reference's.
 */
class QFormerFidelityTest {
  private static final String Q_FORMER = "qformer.last_hidden";
  private static final List<String> STAGES =
      List.of("vision.last_hidden", Q_FORMER, "projector.out");
  private static final ContextOptions EXACT =
      ContextOptions.defaults()
          .withContext(256)
          .withThreads(1, 1)
          .withCache(TensorType.F32, TensorType.F32)
          .withFlashAttention(ContextOptions.FlashAttention.OFF);

  @TempDir Path directory;

  @TestFactory
  Stream<DynamicTest> equalsTransformers() {
    return Reference.all().stream()
        .flatMap(reference ->
            reference.checkpoints().stream()
                .filter(model -> reference.cases(model).stream().anyMatch(ReferenceCase::isPlain))
                .map(model -> DynamicTest.dynamicTest(model, () -> compare(reference, model))));
  }

  private void compare(Reference reference, String model) throws IOException {
    Path folder = directory.resolve("%08x".formatted(reference.root().hashCode()));
    Path text = Files.createDirectories(folder).resolve(model + ".gguf");
    Converter.convert(
        reference.checkpoint(model),
        ConvertOptions.defaults().withOutput(text, null).withTypes(OutputType.F32, OutputType.F32),
        ConvertProgress.NONE);
    Path mmproj = text.resolveSibling("mmproj-" + model + ".gguf");
    try (VisionEncoder encoder = VisionEncoder.open(mmproj, 1, false);
        var vlm = VisionLanguageModel.open(LoadOptions.of(text, mmproj).withContextOptions(EXACT));
        var conversation = new ScoredConversation(vlm.pipeline(), null)) {
      boolean isT5 = vlm.pipeline().decoder().encodesPrompts();
      float tolerance = isT5 ? Tolerances.T5_SCORES : Tolerances.SCORES;
      for (ReferenceCase c : reference.cases(model)) {
        try (SafetensorsFile expected = c.expected()) {
          compareStages(encoder, c, expected);
          compareLogits(conversation, c, expected, tolerance);
        }
      }
    }
  }

  private static void compareStages(
      VisionEncoder encoder, ReferenceCase c, SafetensorsFile expected) {
    assertThat(c.visuals()).hasSize(1);
    Visual image = c.visuals().getFirst();
    ImageInput input =
        encoder
            .prepare(image, ImageOptions.DEFAULT)
            .withInstruction(encoder.architecture().instruction(c.instruction()));
    assertThat(Difference.of(input.pixels(), c.pixelValues(expected)).maxError())
        .isLessThanOrEqualTo(Tolerances.PIXELS);
    Map<String, float[]> found = encoder.intermediates(input);
    for (String stage : STAGES) {
      assertThat(expected.contains(stage)).as(stage).isTrue();
      float[] values = requireNonNull(found.get(stage), stage);
      Difference difference = Difference.of(values, expected.floats(stage));
      System.out.printf("%s %s %s%n", c.name(), stage, difference);
      assertThat(difference.maxError()).as(stage).isLessThan(Tolerances.EMBEDDINGS);
    }
  }

  private static void compareLogits(
      ScoredConversation conversation, ReferenceCase c, SafetensorsFile expected, float tolerance) {
    List<float[]> logits = new ArrayList<>();
    conversation.repeat(
        c.messages(),
        c.greedy(),
        (index, token, row) -> logits.add(row.clone()),
        new CancellationFlag());
    boolean all = expected.contains("logits.steps");
    float[] found = all ? Difference.concat(logits) : logits.getFirst();
    String name = all ? "logits.steps" : "logits.first";
    Difference difference = Difference.of(found, expected.floats(name));
    System.out.printf("%s %s %s%n", c.name(), name, difference);
    assertThat(difference.maxError()).as(name).isLessThan(tolerance);
  }
}
