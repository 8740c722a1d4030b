package dev.ocellus.tests.reference;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.convert.ConvertOptions;
import dev.ocellus.convert.ConvertProgress;
import dev.ocellus.convert.Converter;
import dev.ocellus.convert.common.OutputType;
import dev.ocellus.gguf.TensorType;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.vlm.ChatSession;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.options.LoadOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * Beam searches find the answers that transformers finds: over a decoder as a Java graph (OPT),
 * over an encoder and a decoder (T5), and over libllama (Vicuna).
 */
class BeamSearchFidelityTest {
  private static final ContextOptions EXACT =
      ContextOptions.defaults()
          .withContext(256)
          .withThreads(1, 1)
          .withCache(TensorType.F32, TensorType.F32)
          .withFlashAttention(ContextOptions.FlashAttention.OFF);

  @TempDir Path directory;

  @TestFactory
  Stream<DynamicTest> findsTheSameAnswers() {
    return Reference.all().stream()
        .flatMap(reference ->
            reference.checkpoints().stream()
                .filter(
                    model -> reference.cases(model).stream().anyMatch(c -> !c.beams().isEmpty()))
                .map(model -> DynamicTest.dynamicTest(model, () -> compare(reference, model))));
  }

  private void compare(Reference reference, String model) throws IOException {
    Path text = directory.resolve(model + ".gguf");
    Converter.convert(
        reference.checkpoint(model),
        ConvertOptions.defaults().withOutput(text, null).withTypes(OutputType.F32, OutputType.F32),
        ConvertProgress.NONE);
    Path mmproj = text.resolveSibling("mmproj-" + model + ".gguf");
    assertThat(Files.exists(mmproj)).isTrue();
    try (var vlm =
            VisionLanguageModel.open(LoadOptions.of(text, mmproj).withContextOptions(EXACT));
        ChatSession chat = vlm.newChat()) {
      for (ReferenceCase c : reference.cases(model)) {
        for (BeamCase search : BeamCase.all(c.beams())) {
          Answer answer = chat.complete(c.messages(), search.options(), AnswerListener.NONE);
          assertThat(answer.tokens())
              .as("%s %s", c.name(), search)
              .isEqualTo(search.tokensOf(answer));
        }
      }
    }
  }
}
