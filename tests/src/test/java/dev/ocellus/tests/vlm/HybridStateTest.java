package dev.ocellus.tests.vlm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.gguf.TensorType;
import dev.ocellus.vlm.ChatSession;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.options.LoadOptions;
import dev.ocellus.vlm.options.PrefixCacheOptions;
import dev.ocellus.vlm.options.SessionOptions;
import dev.ocellus.vlm.session.SessionFormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Recurrent states on disk: a saved conversation goes on, is undone and answered again without its
 * beginning being computed, with the tokens of a fresh context.
 */
class HybridStateTest {
  private static final GenerationOptions TEN =
      GenerationOptions.greedy().withMaxTokens(10).withIgnoreEos(true);

  private static final String SYSTEM =
      "You are asked about many things, and answer each of them in a few words, or say that you do not know it.";

  @TempDir static Path directory;

  static Stream<String> models() {
    return HybridModels.NAMES.stream();
  }

  private static LoadOptions options(String name) throws IOException {
    return HybridModels.options(directory, name);
  }

  private static Answer send(ChatSession chat, String text) {
    return chat.send(Message.user(text), TEN, AnswerListener.NONE);
  }

  private static int computed(Answer answer) {
    return answer.usage().promptTokens() - answer.usage().cachedTokens();
  }

  /** What a saved conversation of two turns answers next, and again, and after another question. */
  private record Expected(Answer next, Answer again, Answer other) {
    static Expected of(ChatSession chat) {
      Answer next = send(chat, "Thanks. Why?");
      Answer again = chat.regenerate(TEN, AnswerListener.NONE);
      chat.undo();
      chat.undo();
      return new Expected(next, again, send(chat, "And which size?"));
    }
  }

  private static Expected save(LoadOptions options, Path file) throws IOException {
    try (VisionLanguageModel model = VisionLanguageModel.open(options);
        ChatSession chat = model.newChat()) {
      chat.setHistory(List.of(Message.system(SYSTEM)));
      Message question = HybridModels.question(model, "What is this thing over there, I wonder?");
      chat.send(question, TEN, AnswerListener.NONE);
      send(chat, "And which colour does it have, would you say?");
      chat.save(file);
      return Expected.of(chat);
    }
  }

  private static void assertGoesOn(LoadOptions options, Path file, Expected expected)
      throws IOException {
    try (VisionLanguageModel model = VisionLanguageModel.open(options);
        ChatSession chat = model.newChat()) {
      chat.restore(file);
      assertThat(chat.checkpointBytes()).isPositive();
      Expected found = Expected.of(chat);
      assertThat(found.next.tokens()).isEqualTo(expected.next.tokens());
      assertThat(found.again.tokens()).isEqualTo(expected.again.tokens());
      assertThat(found.other.tokens()).isEqualTo(expected.other.tokens());
      assertThat(found.next.usage().cachedTokens())
          .as("as if it had never been saved")
          .isEqualTo(expected.next.usage().cachedTokens())
          .isPositive();
      // answers of a model of random weights are other tokens when they are read again
      assertThat(computed(found.next)).isLessThan(found.next.promptTokens().length / 2);
      assertThat(computed(found.other))
          .as("from a checkpoint of the file")
          .isLessThan(found.other.promptTokens().length / 2);
    }
  }

  @ParameterizedTest
  @MethodSource("models")
  void goesOnWithoutComputingAnythingAgain(String name) throws IOException {
    Path file = directory.resolve(name + ".session");
    Expected expected = save(options(name), file);
    assertGoesOn(options(name), file, expected);
    try (VisionLanguageModel model = VisionLanguageModel.open(options(name));
        ChatSession chat = model.newChat();
        ChatSession fresh = model.newChat()) {
      chat.restore(file);
      chat.undo();
      List<Message> before = chat.history();
      Answer other = send(chat, "And which size?");
      assertThat(other.tokens()).as("of the file").isEqualTo(expected.other.tokens());
      fresh.setHistory(before);
      Answer whole = send(fresh, "And which size?");
      assertThat(whole.usage().cachedTokens()).isZero();
      assertThat(whole.tokens()).isEqualTo(expected.other.tokens());
    }
  }

  @ParameterizedTest
  @MethodSource("models")
  void goesOnInAContextThatIsShared(String name) throws IOException {
    Path file = directory.resolve(name + ".shared.session");
    SessionOptions three = SessionOptions.defaults().withParallel(3);
    LoadOptions alone = options(name);
    LoadOptions shared = alone.withSessions(three);
    assertGoesOn(shared, file, save(alone, file));
    assertGoesOn(alone, file, save(shared, file));
    try (VisionLanguageModel model = VisionLanguageModel.open(shared);
        ChatSession first = model.newChat();
        ChatSession second = model.newChat()) {
      send(second, "A conversation that others may begin with, if they say the same at first.");
      first.restore(file); // what is believed by nobody else
      second.setHistory(first.history());
      assertThat(send(second, "Thanks. Why?").usage().cachedTokens()).isLessThan(16);
    }
  }

  /** The conversation of the file is what nobody has, and its memory is bounded. */
  @Test
  void keepsNoMoreCheckpointsThanThereIsMemoryFor() throws IOException {
    Path file = directory.resolve("bounded.session");
    Expected expected = save(options("qwen3.5"), file);
    for (long limit : new long[] {0, 1}) {
      SessionOptions none = SessionOptions.defaults().withCheckpointBytes(limit);
      try (VisionLanguageModel model =
              VisionLanguageModel.open(options("qwen3.5").withSessions(none));
          ChatSession chat = model.newChat()) {
        chat.restore(file);
        assertThat(chat.checkpointBytes()).isZero();
        assertThat(send(chat, "Thanks. Why?").tokens()).isEqualTo(expected.next.tokens());
      }
    }
  }

  @Test
  void computesAgainWhatIsOfAnotherForm() throws IOException {
    Path file = directory.resolve("form.session");
    LoadOptions f32 = options("lfm2");
    Expected expected = save(f32, file);
    LoadOptions f16 =
        f32.withContextOptions(f32.contextOptions().withCache(TensorType.F16, TensorType.F16));
    try (VisionLanguageModel model = VisionLanguageModel.open(f16);
        ChatSession chat = model.newChat()) {
      chat.restore(file);
      Answer next = send(chat, "Thanks. Why?");
      assertThat(next.usage().cachedTokens()).isZero();
      assertThat(next.promptTokens()).isEqualTo(expected.next.promptTokens());
    }
  }

  @ParameterizedTest
  @MethodSource("models")
  void refusesEveryDamageAndLosesNothing(String name) throws IOException {
    Path file = directory.resolve(name + ".whole.session");
    Expected expected = save(options(name), file);
    byte[] bytes = Files.readAllBytes(file);
    Path damaged = directory.resolve(name + ".damaged.session");
    try (VisionLanguageModel model = VisionLanguageModel.open(options(name));
        ChatSession chat = model.newChat()) {
      chat.restore(file);
      int used = chat.contextUsed();
      for (int i = 0; i < bytes.length; i += i < 300 ? 11 : bytes.length / 40) {
        byte[] changed = bytes.clone();
        changed[i] ^= 0x20;
        Files.write(damaged, changed);
        assertThatThrownBy(() -> chat.restore(damaged))
            .as("byte %d", i)
            .isInstanceOf(SessionFormatException.class);
        Files.write(damaged, Arrays.copyOf(bytes, i));
        assertThatThrownBy(() -> chat.restore(damaged))
            .as("length %d", i)
            .isInstanceOf(SessionFormatException.class);
      }
      assertThat(chat.contextUsed()).isEqualTo(used);
      assertThat(send(chat, "Thanks. Why?").tokens()).isEqualTo(expected.next.tokens());
    }
  }

  /** The prefix cache: states behind the image, in a new process. */
  @Test
  void beginningsOnDiskAreNotComputedAgain() throws IOException {
    PrefixCacheOptions cache = PrefixCacheOptions.OFF.withDirectory(directory.resolve("prefixes"));
    LoadOptions kept =
        options("qwen3.5").withSessions(SessionOptions.defaults().withPrefixCache(cache));
    Answer first = ask(kept, "What is it?");
    assertThat(first.usage().cachedTokens()).isZero();
    assertThat(first.tokens()).isEqualTo(ask(options("qwen3.5"), "What is it?").tokens());
    Answer other = ask(kept, "Which colour has it?");
    assertThat(other.usage().cachedTokens()).isGreaterThan(other.usage().imageTokens());
    assertThat(other.tokens()).isEqualTo(ask(options("qwen3.5"), "Which colour has it?").tokens());
    try (Stream<Path> files = Files.list(directory.resolve("prefixes"))) {
      Path file = files.toList().getFirst();
      byte[] bytes = Files.readAllBytes(file);
      bytes[bytes.length - 3] ^= 0x40; // a state
      Files.write(file, bytes);
    }
    Answer again = ask(kept, "Which colour has it?");
    assertThat(again.usage().cachedTokens()).isZero();
    assertThat(again.tokens()).isEqualTo(other.tokens());
  }

  /** What changed lies behind the image, where the sequence itself cannot go back to. */
  @Test
  void aBeginningOnDiskReplacesWhatCannotBeTakenBack() throws IOException {
    PrefixCacheOptions cache = PrefixCacheOptions.OFF.withDirectory(directory.resolve("replaced"));
    SessionOptions sessions =
        SessionOptions.defaults().withPrefixCache(cache).withCheckpointBytes(0);
    try (VisionLanguageModel model =
            VisionLanguageModel.open(options("qwen3.5").withSessions(sessions));
        ChatSession chat = model.newChat()) {
      Message question = HybridModels.question(model, "What is it?");
      chat.send(question, TEN, AnswerListener.NONE);
      Answer again = chat.regenerate(TEN, AnswerListener.NONE);
      assertThat(again.usage().cachedTokens()).isGreaterThan(again.usage().imageTokens());
    }
  }

  private static Answer ask(LoadOptions options, String text) throws IOException {
    try (VisionLanguageModel model = VisionLanguageModel.open(options);
        ChatSession chat = model.newChat()) {
      List<Message> messages = List.of(Message.system(SYSTEM), HybridModels.question(model, text));
      return chat.complete(messages, TEN, AnswerListener.NONE);
    }
  }
}
