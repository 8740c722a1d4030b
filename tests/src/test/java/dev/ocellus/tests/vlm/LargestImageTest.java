package dev.ocellus.tests.vlm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.convert.ConvertOptions;
import dev.ocellus.convert.ConvertProgress;
import dev.ocellus.convert.Converter;
import dev.ocellus.convert.common.OutputType;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.llama.ContextOverflowException;
import dev.ocellus.vlm.ChatSession;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.options.LoadOptions;
import dev.ocellus.vlm.vision.ImageOptions;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Images of more tokens than a micro-batch has by default, which a model must compute at once. */
class LargestImageTest {
  private static final GenerationOptions FOUR = GenerationOptions.greedy().withMaxTokens(4);

  @TempDir static Path models;

  @BeforeAll
  static void convert() throws IOException {
    Converter.convert(
        Path.of("golden/models/gemma4-unified/hf"),
        ConvertOptions.defaults()
            .withOutput(models.resolve("text.gguf"), null)
            .withTypes(OutputType.F32, OutputType.F32),
        ConvertProgress.NONE);
  }

  private static Answer answer(int tokens, ContextOptions context) throws IOException {
    LoadOptions options =
        LoadOptions.of(models.resolve("text.gguf"), models.resolve("mmproj-text.gguf"))
            .withContextOptions(context);
    options = options.withVision(options.vision().withImages(ImageOptions.ofTokens(0, tokens)));
    try (VisionLanguageModel model = VisionLanguageModel.open(options);
        ChatSession chat = model.newChat()) {
      return chat.send(
          Message.user("What is it?", Golden.noise(100, 100, 1)), FOUR, AnswerListener.NONE);
    }
  }

  @Test
  void fitsWithoutAWordOfTheCaller() throws IOException {
    Answer byDefault = answer(560, Golden.context(2048));
    assertThat(byDefault.promptTokens()).hasSizeGreaterThan(512);
    Answer chosen = answer(560, Golden.context(2048).withBatch(1024, 1024));
    assertThat(byDefault.tokens()).isEqualTo(chosen.tokens());
  }

  /** Also what nobody has to choose. */
  @ParameterizedTest
  @ValueSource(ints = {500, 512})
  void isRefusedWhereTheCallerChoseLess(int nUbatch) {
    assertThatThrownBy(() -> answer(560, Golden.context(2048).withBatch(2048, nUbatch)))
        .isInstanceOf(ContextOverflowException.class)
        .hasMessageContaining(nUbatch + " at once");
  }
}
