package dev.ocellus.tests.reference;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.UnsupportedArchitectureException;
import dev.ocellus.convert.SafetensorsFile;
import dev.ocellus.gguf.TensorType;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.vlm.Answer;
import dev.ocellus.vlm.AnswerListener;
import dev.ocellus.vlm.ChatSession;
import dev.ocellus.vlm.GenerationOptions;
import dev.ocellus.vlm.ImageEmbeddings;
import dev.ocellus.vlm.LoadOptions;
import dev.ocellus.vlm.VisionEncoder;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.image.Visual;
import dev.ocellus.vlm.model.ImageInput;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Every model and case: pixels, embeddings, prompt, and greedy tokens equal the reference's. */
class FidelityTest {
  private static final ContextOptions EXACT =
      ContextOptions.defaults()
          .withContext(4096)
          .withThreads(1, 1)
          .withCache(TensorType.F32, TensorType.F32)
          .withFlashAttention(ContextOptions.FlashAttention.OFF);

  @TestFactory
  Stream<DynamicNode> equalsTransformers() {
    return Reference.all().stream()
        .flatMap(reference -> reference.models().stream().map(m -> container(reference, m)));
  }

  static DynamicNode container(Reference reference, String model) {
    try (VisionEncoder encoder = VisionEncoder.open(reference.mmproj(model), 1, false)) {
      // known architecture
    } catch (UnsupportedArchitectureException e) {
      System.out.println("not compared: " + model + ": " + e.getMessage());
      return DynamicContainer.dynamicContainer(model + " (not supported)", Stream.empty());
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
    Stream<DynamicNode> cases =
        reference.cases(model).stream()
            .flatMap(c ->
                Stream.of(
                    DynamicTest.dynamicTest(
                        model + "/" + c.name() + " embeddings",
                        () -> compareEmbeddings(reference, model, c)),
                    DynamicTest.dynamicTest(
                        model + "/" + c.name() + " tokens",
                        () -> compareTokens(reference, model, c))));
    return DynamicContainer.dynamicContainer(model, cases);
  }

  private static void compareEmbeddings(Reference reference, String model, ReferenceCase c)
      throws IOException {
    try (VisionEncoder encoder = VisionEncoder.open(reference.mmproj(model), 1, false);
        SafetensorsFile expected = c.expected()) {
      List<float[]> pixels = new ArrayList<>();
      List<float[]> rows = new ArrayList<>();
      for (Visual image : c.visuals()) {
        ImageInput input = encoder.prepare(image, reference.imageTokens(model));
        pixels.add(input.pixels());
        ImageEmbeddings embeddings = encoder.encode(input);
        rows.add(embeddings.rows());
      }
      Difference pixelDifference =
          Difference.of(Difference.concat(pixels), c.pixelValues(expected));
      assertThat(pixelDifference.maxError()).as("pixels").isLessThanOrEqualTo(Tolerances.PIXELS);
      Difference difference = Difference.of(Difference.concat(rows), c.rows(expected));
      System.out.printf("%s/%s: projector.out %s%n", model, c.name(), difference);
      assertThat(difference.maxError()).as("projector.out").isLessThan(Tolerances.EMBEDDINGS);
      assertThat(difference.cosine()).as("cosine").isGreaterThan(Tolerances.COSINE);
    }
  }

  private static void compareTokens(Reference reference, String model, ReferenceCase c)
      throws IOException {
    LoadOptions options =
        LoadOptions.of(reference.text(model), reference.mmproj(model))
            .withContextOptions(EXACT)
            .withImageTokens(reference.imageTokens(model));
    try (VisionLanguageModel vlm = VisionLanguageModel.open(options);
        ChatSession chat = vlm.newChat()) {
      GenerationOptions greedy =
          GenerationOptions.greedy().withMaxTokens(c.greedy().length).withIgnoreEos(true);
      Answer answer = chat.complete(c.messages(), greedy, AnswerListener.NONE);
      assertThat(answer.prompt()).isEqualTo(c.prompt());
      assertThat(answer.promptTokens()).isEqualTo(c.promptTokens());
      int[] expected = c.greedy();
      for (int i = 0; i < expected.length; i++) {
        if (answer.tokens()[i] != expected[i]) {
          assertThat(c.margin(i))
              .as("token %d is %d instead of %d", i, answer.tokens()[i], expected[i])
              .isLessThan(Tolerances.GREEDY_MARGIN);
          return; // what follows another token is another text
        }
      }
    }
  }
}
