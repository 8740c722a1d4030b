package dev.ocellus.tests.vlm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.llama.ContextOptions;
import dev.ocellus.vlm.ChatSession;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.options.LoadOptions;
import dev.ocellus.vlm.options.SessionOptions;
import dev.ocellus.vlm.options.Speculation;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Conversations of one context that begin alike, with a model that has recurrent states: they start
 * from each other's checkpoints, and give the tokens of a fresh context.
 */
class HybridPrefixTest {
  private static final GenerationOptions SIX =
      GenerationOptions.greedy().withMaxTokens(6).withIgnoreEos(true);

  private static final String SYSTEM =
      "You are asked about many things, and answer each of them in a few words, or say that you do not know it.";

  @TempDir static Path directory;

  static Stream<String> models() {
    return HybridModels.NAMES.stream();
  }

  /** Attention in F32, so that rounding does not decide between tokens. */
  private static LoadOptions options(String name, SessionOptions sessions) throws IOException {
    LoadOptions options = HybridModels.options(directory, name).withSessions(sessions);
    return options.withContextOptions(
        options.contextOptions().withFlashAttention(ContextOptions.FlashAttention.OFF));
  }

  private static SessionOptions parallel(int n) {
    return SessionOptions.defaults().withParallel(n);
  }

  /** Two rounds about an image, of which the second differs. */
  private static List<Message> about(VisionLanguageModel model, String text) throws IOException {
    return List.of(
        Message.system(SYSTEM),
        HybridModels.question(model, "What is this thing over there?"),
        Message.assistant("A thing that nobody has seen before, and of no use."),
        Message.user(text));
  }

  private static Answer ask(ChatSession chat, List<Message> messages) {
    return chat.complete(messages, SIX, AnswerListener.NONE);
  }

  /** The tokens of each conversation in a context in which nothing stands yet. */
  private static List<int[]> fresh(String name, List<String> texts) throws IOException {
    List<int[]> tokens = new ArrayList<>();
    try (VisionLanguageModel model = VisionLanguageModel.open(options(name, parallel(1)))) {
      for (String text : texts) {
        try (ChatSession chat = model.newChat()) {
          Answer answer = ask(chat, about(model, text));
          assertThat(answer.usage().cachedTokens()).isZero();
          tokens.add(answer.tokens());
        }
      }
    }
    return tokens;
  }

  private static int computed(Answer answer) {
    return answer.usage().promptTokens() - answer.usage().cachedTokens();
  }

  @ParameterizedTest
  @MethodSource("models")
  void startsFromTheCheckpointOfAnotherConversation(String name) throws IOException {
    List<String> texts = List.of("Who made it?", "Where does it stand?", "Why?");
    List<int[]> expected = fresh(name, texts);
    try (VisionLanguageModel model = VisionLanguageModel.open(options(name, parallel(3)));
        ChatSession first = model.newChat();
        ChatSession second = model.newChat();
        ChatSession third = model.newChat()) {
      Answer one = ask(first, about(model, texts.get(0)));
      assertThat(one.usage().cachedTokens()).isZero();
      assertThat(one.tokens()).isEqualTo(expected.get(0));
      Answer two = ask(second, about(model, texts.get(1)));
      assertThat(two.tokens()).isEqualTo(expected.get(1));
      assertThat(computed(two)).as("computed").isLessThan(60);
      assertThat(two.usage().cachedTokens()).isGreaterThan(one.usage().promptTokens() / 2);
      assertThat(second.checkpointBytes()).isPositive();

      first.close(); // what both have stays with the other one
      Answer three = ask(third, about(model, texts.get(2)));
      assertThat(three.tokens()).isEqualTo(expected.get(2));
      assertThat(computed(three)).isLessThan(60);
      Answer again = second.regenerate(SIX, AnswerListener.NONE);
      assertThat(again.tokens()).isEqualTo(expected.get(1));
    }
  }

  @ParameterizedTest
  @MethodSource("models")
  void eachGoesItsOwnWay(String name) throws IOException {
    List<String> texts = List.of("Who made it?", "Where does it stand?", "Something else, then?");
    List<int[]> expected = fresh(name, texts);
    try (VisionLanguageModel model = VisionLanguageModel.open(options(name, parallel(2)));
        ChatSession first = model.newChat();
        ChatSession second = model.newChat()) {
      for (int round = 0; round < 3; round++) {
        assertThat(ask(first, about(model, texts.get(0))).tokens()).isEqualTo(expected.get(0));
        assertThat(ask(second, about(model, texts.get(1))).tokens()).isEqualTo(expected.get(1));
        // the first one takes back what the second one has begun with
        first.complete(List.of(Message.user("Of no length.")), SIX, AnswerListener.NONE);
        assertThat(second.regenerate(SIX, AnswerListener.NONE).tokens()).isEqualTo(expected.get(1));
        assertThat(ask(first, about(model, texts.get(2))).tokens()).isEqualTo(expected.get(2));
        assertThat(second.undo()).isTrue();
      }
    }
  }

  /** While they take over, take back draft tokens and let go. */
  @ParameterizedTest
  @MethodSource("models")
  void staysRightWithManyAtTheSameTime(String name) throws IOException {
    List<String> texts =
        List.of("Who made it?", "Where does it stand?", "Why not?", "one two three one two three");
    List<int[]> expected = fresh(name, texts);
    SessionOptions sessions = parallel(3).withSpeculation(Speculation.byLookup());
    try (VisionLanguageModel model = VisionLanguageModel.open(options(name, sessions));
        ExecutorService threads = Executors.newFixedThreadPool(6)) {
      List<CompletableFuture<Answer>> answers = new ArrayList<>();
      for (int round = 0; round < 4; round++) {
        for (String text : texts) {
          List<Message> messages = about(model, text);
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
        assertThat(answer.tokens()).as("%d", i).isEqualTo(expected.get(i % texts.size()));
        cached += answer.usage().cachedTokens();
      }
      assertThat(cached).isPositive();
    }
  }

  /** Nothing of what was cancelled is taken over. */
  @ParameterizedTest
  @MethodSource("models")
  void takesNothingFromWhatWasCancelled(String name) throws IOException {
    List<String> texts = List.of("Who made it?", "Where does it stand?");
    List<int[]> expected = fresh(name, texts);
    try (VisionLanguageModel model = VisionLanguageModel.open(options(name, parallel(2)));
        ChatSession first = model.newChat();
        ChatSession second = model.newChat()) {
      ask(first, about(model, texts.get(0)));
      first.send(
          Message.user("More. ".repeat(40)),
          SIX,
          new AnswerListener() {
            @Override
            public void onText(String text) {}

            @Override
            public void onPrefill(double progress) {
              first.cancel();
            }
          });
      Answer answer = ask(second, about(model, texts.get(1)));
      assertThat(answer.tokens()).isEqualTo(expected.get(1));
      assertThat(ask(first, about(model, texts.get(0))).tokens()).isEqualTo(expected.get(0));
    }
  }

  @Test
  void computesAllWithoutMemoryForCheckpoints() throws IOException {
    List<String> texts = List.of("Who made it?", "Where does it stand?");
    List<int[]> expected = fresh("qwen3.5", texts);
    SessionOptions none = parallel(2).withCheckpointBytes(0);
    try (VisionLanguageModel model = VisionLanguageModel.open(options("qwen3.5", none));
        ChatSession first = model.newChat();
        ChatSession second = model.newChat()) {
      ask(first, about(model, texts.get(0)));
      Answer answer = ask(second, about(model, texts.get(1)));
      assertThat(answer.tokens()).isEqualTo(expected.get(1));
      assertThat(answer.usage().cachedTokens()).isZero();
      assertThat(first.checkpointBytes() + second.checkpointBytes()).isZero();
    }
  }
}
