package dev.ocellus.tests.vlm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.gguf.TensorType;
import dev.ocellus.tests.TinyTextModel;
import dev.ocellus.vlm.ChatSession;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.options.LoadOptions;
import dev.ocellus.vlm.options.SessionOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Conversations of one context that begin alike. */
class SharedPrefixTest {
  private static final GenerationOptions SIX =
      GenerationOptions.greedy().withMaxTokens(6).withIgnoreEos(true);

  /** Keys and values in F32, so that rounding does not decide between tokens. */
  private static LoadOptions options(String name, int parallel) {
    Path gguf = Path.of("golden/models", name, "gguf");
    return LoadOptions.of(gguf.resolve("text.gguf"), gguf.resolve("mmproj.gguf"))
        .withContextOptions(Golden.context(768).withCache(TensorType.F32, TensorType.F32))
        .withSessions(SessionOptions.defaults().withParallel(parallel));
  }

  private static List<Message> question(String text) throws IOException {
    return List.of(
        Message.user("Look. " + "One and two. ".repeat(6), Golden.image("exact_56x56.png")),
        Message.assistant("Yes."),
        Message.user(text));
  }

  private static Answer ask(ChatSession chat, List<Message> messages) {
    return chat.complete(messages, SIX, AnswerListener.NONE);
  }

  private static List<Answer> alone(String name, List<List<Message>> all) throws IOException {
    List<Answer> answers = new ArrayList<>();
    for (List<Message> messages : all) {
      try (VisionLanguageModel model = VisionLanguageModel.open(options(name, 1));
          ChatSession chat = model.newChat()) {
        answers.add(ask(chat, messages));
      }
    }
    return answers;
  }

  @ParameterizedTest
  @ValueSource(strings = {"llava-1.5", "qwen2.5-vl", "gemma3"})
  void takesOverWhatAnotherOneHasComputed(String name) throws IOException {
    List<List<Message>> all = List.of(question("Who?"), question("Where is it?"), question("Why?"));
    List<Answer> expected = alone(name, all);
    try (VisionLanguageModel model = VisionLanguageModel.open(options(name, 3));
        ChatSession first = model.newChat();
        ChatSession second = model.newChat();
        ChatSession third = model.newChat()) {
      Answer one = ask(first, all.get(0));
      assertThat(one.usage().cachedTokens()).isZero();
      Answer two = ask(second, all.get(1));
      assertThat(two.tokens()).isEqualTo(expected.get(1).tokens());
      int fresh = two.usage().promptTokens() - two.usage().cachedTokens();
      assertThat(two.usage().cachedTokens()).isGreaterThan(two.usage().imageTokens() + 10);
      assertThat(fresh).isLessThan(40);
      assertThat(two.usage().images().encoded()).isZero();

      first.close(); // what both have stays with the other one
      Answer three = ask(third, all.get(2));
      assertThat(three.tokens()).isEqualTo(expected.get(2).tokens());
      assertThat(three.usage().cachedTokens()).isGreaterThan(three.usage().imageTokens() + 10);
      Answer again = second.regenerate(SIX, AnswerListener.NONE);
      assertThat(again.tokens()).isEqualTo(expected.get(1).tokens());
      assertThat(again.usage().promptTokens() - again.usage().cachedTokens()).isEqualTo(1);
    }
  }

  @Test
  void changesNothingForTheOtherOneWhenOneGoesItsOwnWay() throws IOException {
    List<List<Message>> all =
        List.of(question("Who?"), question("Where?"), List.of(Message.user("Else, and more.")));
    List<Answer> expected = alone("llava-1.5", all);
    try (VisionLanguageModel model = VisionLanguageModel.open(options("llava-1.5", 2));
        ChatSession first = model.newChat();
        ChatSession second = model.newChat()) {
      for (int i = 0; i < 3; i++) {
        assertThat(ask(first, all.get(0)).tokens()).isEqualTo(expected.get(0).tokens());
        assertThat(ask(second, all.get(1)).tokens()).isEqualTo(expected.get(1).tokens());
        assertThat(ask(first, all.get(2)).tokens()).isEqualTo(expected.get(2).tokens());
        Answer kept = second.regenerate(SIX, AnswerListener.NONE);
        assertThat(kept.tokens()).isEqualTo(expected.get(1).tokens());
        assertThat(kept.usage().promptTokens() - kept.usage().cachedTokens()).isEqualTo(1);
      }
    }
  }

  @Test
  void savesAndRestoresWhatBelongsToSeveral(@TempDir Path directory) throws IOException {
    Path file = directory.resolve("second.session");
    try (VisionLanguageModel model = VisionLanguageModel.open(options("qwen2.5-vl", 2));
        ChatSession first = model.newChat();
        ChatSession second = model.newChat()) {
      ask(first, question("Who?"));
      Answer answer = ask(second, question("Where?"));
      assertThat(answer.usage().cachedTokens()).isPositive();
      second.save(file);
      first.restore(file);
      Answer again = first.regenerate(SIX, AnswerListener.NONE);
      assertThat(again.tokens()).isEqualTo(answer.tokens());
      assertThat(again.usage().promptTokens() - again.usage().cachedTokens()).isEqualTo(1);
      assertThat(second.regenerate(SIX, AnswerListener.NONE).tokens()).isEqualTo(answer.tokens());
    }
  }

  /** While others take over and let go, in a context that they fill. */
  @Test
  void staysRightWithManyAtTheSameTime() throws IOException {
    List<List<Message>> all = new ArrayList<>();
    for (String word : List.of("Who?", "Where is it?", "Why not?", "When, then?")) {
      all.add(question(word));
      all.add(List.of(Message.user(word + " " + "And so on. ".repeat(12))));
    }
    List<Answer> expected = alone("gemma3", all);
    try (VisionLanguageModel model = VisionLanguageModel.open(options("gemma3", 3));
        ExecutorService threads = Executors.newCachedThreadPool()) {
      List<CompletableFuture<Answer>> answers = new ArrayList<>();
      for (int round = 0; round < 3; round++) {
        for (List<Message> messages : all) {
          answers.add(
              CompletableFuture.supplyAsync(
                  () -> {
                    try (ChatSession chat = model.newChat()) {
                      return ask(chat, messages);
                    }
                  },
                  threads));
        }
      }
      int cached = 0;
      for (int i = 0; i < answers.size(); i++) {
        Answer answer = answers.get(i).join();
        assertThat(answer.tokens()).isEqualTo(expected.get(i % all.size()).tokens());
        cached += answer.usage().cachedTokens();
      }
      assertThat(cached).isPositive();
    }
  }

  /**
   * Layers with a window give places away that they do not see any more, until a part is undone.
   */
  @Test
  void computesAgainWhatAWindowHasGivenAway(@TempDir Path directory) throws IOException {
    LoadOptions files =
        LoadOptions.of(TinyTextModel.write(directory.resolve("text.gguf"), "gemma2"))
            .withContextOptions(Golden.context(512).withCache(TensorType.F32, TensorType.F32));
    List<Message> begun = List.of(Message.user("Hello. " + "And on. ".repeat(4)));
    List<Message> longer =
        List.of(begun.getFirst(), Message.assistant("So on. ".repeat(18)), Message.user("Then?"));
    List<Message> edited = List.of(begun.getFirst(), Message.assistant("No."), Message.user("X?"));
    Answer expected;
    try (VisionLanguageModel model = VisionLanguageModel.open(files);
        ChatSession chat = model.newChat()) {
      expected = ask(chat, edited);
    }
    try (VisionLanguageModel model =
            VisionLanguageModel.open(
                files.withSessions(SessionOptions.defaults().withParallel(2)));
        ChatSession before = model.newChat();
        ChatSession chat = model.newChat()) {
      ask(before, List.of(Message.user("We were first. ".repeat(4))));
      assertThat(ask(chat, longer).usage().promptTokens()).isGreaterThan(100);
      ask(before, List.of(Message.user("Now for something longer. ".repeat(8))));
      Answer answer = ask(chat, edited);
      assertThat(answer.tokens()).isEqualTo(expected.tokens());
      assertThat(answer.usage().cachedTokens()).isZero();
    }
  }
}
