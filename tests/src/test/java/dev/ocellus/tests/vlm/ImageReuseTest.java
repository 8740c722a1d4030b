package dev.ocellus.tests.vlm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.vlm.ChatSession;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.ImageUse;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.options.ImageCacheOptions;
import dev.ocellus.vlm.options.LoadOptions;
import dev.ocellus.vlm.options.SessionOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An image is encoded once: for a conversation, for a model, and with a directory for all. */
class ImageReuseTest {
  private static final GenerationOptions TEN =
      GenerationOptions.greedy().withMaxTokens(10).withIgnoreEos(true);

  @TempDir Path directory;

  private static LoadOptions with(ImageCacheOptions cache) {
    return Golden.options().withSessions(SessionOptions.defaults().withImageCache(cache));
  }

  private static Answer ask(ChatSession chat) throws IOException {
    return chat.send(
        Message.user("What is it?", Golden.image("exact_56x56.png")), TEN, AnswerListener.NONE);
  }

  private static Answer inAnotherProcess(LoadOptions options) throws IOException {
    try (VisionLanguageModel model = VisionLanguageModel.open(options);
        ChatSession chat = model.newChat()) {
      return ask(chat);
    }
  }

  @Test
  void encodesNothingInASecondProcessWithTheSameDirectory() throws IOException {
    LoadOptions options = with(ImageCacheOptions.defaults().withDirectory(directory));
    Answer first = inAnotherProcess(options);
    Answer second = inAnotherProcess(options);
    assertThat(first.usage().images()).isEqualTo(new ImageUse(1, 0, 0, 0));
    assertThat(second.usage().images()).isEqualTo(new ImageUse(0, 0, 0, 1));
    assertThat(second.timings().encode().tokens()).isZero();
    assertThat(second.timings().encode().millis()).isZero();
    assertThat(second.timings().preprocess().millis()).isZero();
    assertThat(second.tokens()).isEqualTo(first.tokens());
    assertThat(second.promptTokens()).isEqualTo(first.promptTokens());
  }

  @Test
  void encodesAgainForWeightsThatWereChanged() throws IOException {
    Path mmproj = Files.copy(Golden.MMPROJ, directory.resolve("mmproj.gguf"));
    LoadOptions options =
        LoadOptions.of(Golden.TEXT, mmproj)
            .withContextOptions(Golden.context(512))
            .withSessions(
                SessionOptions.defaults()
                    .withImageCache(
                        ImageCacheOptions.defaults().withDirectory(directory.resolve("cache"))));
    inAnotherProcess(options);
    byte[] bytes = Files.readAllBytes(mmproj);
    bytes[bytes.length - 1000] ^= 1;
    Files.write(mmproj, bytes);
    assertThat(inAnotherProcess(options).usage().images().encoded()).isEqualTo(1);
  }

  @Test
  void encodesAgainWhatIsDamaged() throws IOException {
    LoadOptions options = with(ImageCacheOptions.defaults().withDirectory(directory));
    Answer first = inAnotherProcess(options);
    try (Stream<Path> files = Files.list(directory)) {
      Path file = files.findFirst().orElseThrow();
      byte[] bytes = Files.readAllBytes(file);
      bytes[bytes.length - 100] ^= 1;
      Files.write(file, bytes);
    }
    Answer second = inAnotherProcess(options);
    assertThat(second.usage().images().encoded()).isEqualTo(1);
    assertThat(second.tokens()).isEqualTo(first.tokens());
    assertThat(inAnotherProcess(options).usage().images().fromDisk()).isEqualTo(1);
  }

  @Test
  void remembersImagesBeyondAConversation() throws IOException {
    try (VisionLanguageModel model = VisionLanguageModel.open(with(ImageCacheOptions.defaults()))) {
      for (int i = 0; i < 2; i++) {
        try (ChatSession chat = model.newChat()) {
          ImageUse use = ask(chat).usage().images();
          assertThat(use).isEqualTo(i == 0 ? new ImageUse(1, 0, 0, 0) : new ImageUse(0, 0, 1, 0));
          assertThat(ask(chat).usage().images()).isEqualTo(new ImageUse(0, 1, 0, 0));
        }
      }
    }
  }

  @Test
  void remembersNothingWhenSwitchedOff() throws IOException {
    try (VisionLanguageModel model = VisionLanguageModel.open(with(ImageCacheOptions.OFF));
        ChatSession chat = model.newChat()) {
      assertThat(ask(chat).usage().images().encoded()).isEqualTo(1);
      chat.clear();
      chat.send(Message.user("Something else"), TEN, AnswerListener.NONE);
      chat.clear();
      assertThat(ask(chat).usage().images().encoded()).isEqualTo(1);
    }
  }
}
