package dev.ocellus.tests.reference;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
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
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.StopReason;
import dev.ocellus.vlm.options.LoadOptions;
import dev.ocellus.vlm.sampling.BeamOptions;
import dev.ocellus.vlm.sampling.BeamOptions.EarlyStopping;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
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
        for (JsonNode search : c.beams()) {
          GenerationOptions options =
              GenerationOptions.greedy()
                  .withMaxTokens(search.get("max_new_tokens").asInt())
                  .withBeams(beams(search));
          Answer answer = chat.complete(c.messages(), options, AnswerListener.NONE);
          int[] expected = ints(search.get("tokens"));
          int[] found = answer.tokens();
          if (answer.stopReason() == StopReason.END) { // the reference keeps the token that ends it
            expected = Arrays.copyOf(expected, expected.length - 1);
          }
          assertThat(found).as("%s %s", c.name(), search).isEqualTo(expected);
        }
      }
    }
  }

  private static BeamOptions beams(JsonNode search) {
    EarlyStopping stopping =
        switch (search.path("early_stopping").asText("false")) {
          case "true" -> EarlyStopping.YES;
          case "never" -> EarlyStopping.NEVER;
          default -> EarlyStopping.NO;
        };
    return BeamOptions.of(search.get("num_beams").asInt())
        .withLengthPenalty(search.path("length_penalty").asDouble(1))
        .withEarlyStopping(stopping)
        .withRepetitionPenalty((float) search.path("repetition_penalty").asDouble(1))
        .withNoRepeatNgramSize(search.path("no_repeat_ngram_size").asInt(0))
        .withMinNewTokens(search.path("min_new_tokens").asInt(0));
  }

  private static int[] ints(JsonNode array) {
    int[] values = new int[array.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = array.get(i).asInt();
    }
    return values;
  }
}
