package dev.ocellus.tests.vlm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.gguf.TensorType;
import dev.ocellus.tests.TinyTextModel;
import dev.ocellus.vlm.ChatSession;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.chat.ContextUse;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.chat.StopReason;
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
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Beginnings of conversations that are kept when their sequences are given to others. */
@Timeout(120)
class KeptPrefixTest {
  private static final GenerationOptions SIX =
      GenerationOptions.greedy().withMaxTokens(6).withIgnoreEos(true);
  private static final GenerationOptions ENDLESS = GenerationOptions.greedy().withIgnoreEos(true);

  /** Keys and values in F32, so that rounding does not decide between tokens. */
  private static LoadOptions options(String name, int nCtx) {
    Path gguf = Path.of("golden/models", name, "gguf");
    return LoadOptions.of(gguf.resolve("text.gguf"), gguf.resolve("mmproj.gguf"))
        .withContextOptions(Golden.context(nCtx).withCache(TensorType.F32, TensorType.F32));
  }

  private static VisionLanguageModel open(LoadOptions options, int parallel) throws IOException {
    return VisionLanguageModel.open(
        options.withSessions(SessionOptions.defaults().withParallel(parallel)));
  }

  private static List<Message> about(String image, String question) throws IOException {
    return List.of(
        Message.user("Look. " + "One and two. ".repeat(4), Golden.image(image)),
        Message.assistant("Yes."),
        Message.user(question));
  }

  private static List<Message> about(String question) throws IOException {
    return about("exact_56x56.png", question);
  }

  private static List<Message> text(String question) {
    return List.of(Message.user(question));
  }

  /** An answer in a session of its own, which goes into the sequence that was idle longest. */
  private static Answer ask(
      VisionLanguageModel model, List<Message> messages, GenerationOptions options) {
    try (ChatSession chat = model.newChat()) {
      return chat.complete(messages, options, AnswerListener.NONE);
    }
  }

  private static Answer ask(VisionLanguageModel model, List<Message> messages) {
    return ask(model, messages, SIX);
  }

  private static int[] alone(LoadOptions options, List<Message> messages, GenerationOptions how)
      throws IOException {
    try (VisionLanguageModel model = open(options, 1)) {
      return ask(model, messages, how).tokens();
    }
  }

  /** Both sequences go to other conversations. */
  private static void takeAllSequences(VisionLanguageModel model) {
    ask(model, text("Something else."));
    ask(model, text("And now for that."));
  }

  private static void assertFound(Answer answer) {
    assertThat(answer.usage().imageTokens()).isPositive();
    assertThat(answer.usage().cachedTokens()).isGreaterThan(answer.usage().imageTokens() + 5);
    assertThat(answer.usage().images().encoded()).isZero();
  }

  @ParameterizedTest
  @ValueSource(strings = {"llava-1.5", "qwen2.5-vl", "gemma3"})
  void anImageThatNoConversationHasAnyMoreIsNotDecodedAgain(String name) throws IOException {
    LoadOptions options = options(name, 768);
    try (VisionLanguageModel model = open(options, 2)) {
      Answer first = ask(model, about("Who?"));
      assertThat(model.contextUse().keptPrefixes()).isZero();
      takeAllSequences(model);
      ContextUse use = model.contextUse();
      assertThat(use.keptPrefixes()).isEqualTo(1);
      assertThat(use.keptTokens())
          .isBetween(first.usage().imageTokens(), first.usage().promptTokens());
      for (String question : List.of("Where is it?", "Why not?", "Who?")) {
        Answer answer = ask(model, about(question));
        assertFound(answer);
        assertThat(answer.tokens()).isEqualTo(alone(options, about(question), SIX));
        takeAllSequences(model);
      }
      assertThat(model.contextUse().keptPrefixes()).isEqualTo(1);
    }
  }

  @Test
  void aLongConversationGoesOnWhereItStood() throws IOException {
    LoadOptions options = options("llava-1.5", 768);
    List<Message> begun = text("And so on. ".repeat(36));
    try (VisionLanguageModel model = open(options, 2)) {
      Answer answer = ask(model, begun);
      assertThat(answer.usage().promptTokens()).isGreaterThan(256);
      takeAllSequences(model);
      List<Message> further = new ArrayList<>(answer.addedTo(begun));
      further.add(Message.user("Really?"));
      Answer next = ask(model, further);
      assertThat(next.usage().cachedTokens()).isGreaterThan(answer.usage().promptTokens() - 5);
      assertThat(next.tokens()).isEqualTo(alone(options, further, SIX));
    }
  }

  /** Two conversations fill the context to its last place. */
  @Test
  void whoAnswersGetsThePlacesOfWhatIsKept() throws IOException {
    LoadOptions options = options("llava-1.5", 256);
    try (VisionLanguageModel model = open(options, 2)) {
      ask(model, about("Who?"));
      takeAllSequences(model);
      assertThat(model.contextUse().keptPrefixes()).isEqualTo(1);
      for (String question : List.of("Go on. ".repeat(8), "Count them. ".repeat(8))) {
        Answer answer = ask(model, text(question), ENDLESS);
        assertThat(answer.stopReason()).isEqualTo(StopReason.CONTEXT);
        assertThat(answer.tokens()).isEqualTo(alone(options, text(question), ENDLESS));
      }
      assertThat(model.contextUse().keptPrefixes()).isZero();
      Answer again = ask(model, about("Why?"));
      assertThat(again.tokens()).isEqualTo(alone(options, about("Why?"), SIX));
      assertThat(again.usage().cachedTokens()).isLessThan(again.usage().imageTokens());
    }
  }

  @Test
  void noMoreAreKeptThanThereIsRoomFor() throws IOException {
    LoadOptions options = options("llava-1.5", 768);
    try (VisionLanguageModel model = open(options, 2)) {
      for (int i = 0; i < 40; i++) {
        var image = Golden.noise(40 + i, 50, i);
        ask(model, List.of(Message.user("What?", image)), SIX);
        ContextUse use = model.contextUse();
        assertThat(use.keptPrefixes()).isLessThanOrEqualTo(8);
        assertThat(use.keptTokens()).isLessThanOrEqualTo(2 * 768 / 4);
      }
      assertThat(model.contextUse().keptPrefixes()).isPositive();
    }
  }

  /** Wherever a prompt is cancelled, what it took over is as good as before. */
  @ParameterizedTest
  @ValueSource(strings = {"llava-1.5", "qwen2.5-vl", "gemma3"})
  void aPromptThatIsCancelledSpoilsNothing(String name) throws IOException {
    LoadOptions large = options(name, 768);
    LoadOptions options =
        large.withContextOptions(
            large.contextOptions().withBatch(name.equals("gemma3") ? 64 : 16, 64));
    List<Message> other = about("odd_97x61.png", "And that?");
    List<Message> longer = about("And so on. ".repeat(20));
    int[] expected = alone(large, about("Why?"), SIX);
    try (VisionLanguageModel model = open(options, 2)) {
      ask(model, about("Who?"));
      takeAllSequences(model);
      int nCancelled = 0;
      for (List<Message> messages : List.of(longer, other)) {
        int at = 1;
        while (cancelled(model, messages, at) == StopReason.CANCELLED) {
          nCancelled++;
          at++;
          takeAllSequences(model);
          Answer answer = ask(model, about("Why?"));
          assertFound(answer);
          assertThat(answer.tokens()).isEqualTo(expected);
        }
      }
      assertThat(nCancelled).isGreaterThanOrEqualTo(4);
    }
  }

  /** Cancels while the prompt is computed, when that has been told so many times. */
  private static StopReason cancelled(VisionLanguageModel model, List<Message> messages, int at) {
    try (ChatSession chat = model.newChat()) {
      return chat.complete(
              messages,
              SIX,
              new AnswerListener() {
                private int told;

                @Override
                public void onText(String text) {}

                @Override
                public void onPrefill(double share) {
                  if (++told == at) {
                    chat.cancel();
                  }
                }
              })
          .stopReason();
    }
  }

  /** Pairs of clients ask about the same images at the same time, with few sequences for all. */
  @ParameterizedTest
  @ValueSource(strings = {"llava-1.5", "gemma3"})
  void manyClientsOfFewImagesGetTheirAnswers(String name) throws IOException {
    LoadOptions options = options(name, 384);
    List<List<Message>> all = new ArrayList<>();
    for (String image : List.of("exact_56x56.png", "odd_97x61.png", "gray_120x90.png")) {
      all.add(about(image, "Who?"));
      all.add(about(image, "Where is it?"));
    }
    all.add(text("And so on. ".repeat(40)));
    List<int[]> expected = new ArrayList<>();
    for (List<Message> messages : all) {
      expected.add(alone(options, messages, SIX));
    }
    try (VisionLanguageModel model = open(options, 3);
        ExecutorService threads = Executors.newCachedThreadPool()) {
      List<CompletableFuture<Answer>> answers = new ArrayList<>();
      for (int i = 0; i < 4 * all.size(); i++) {
        List<Message> messages = all.get(i % all.size());
        answers.add(CompletableFuture.supplyAsync(() -> ask(model, messages), threads));
      }
      for (int i = 0; i < answers.size(); i++) {
        assertThat(answers.get(i).join().tokens())
            .as("question %d", i)
            .isEqualTo(expected.get(i % all.size()));
      }
    }
  }

  /** Whichever is first: the other one encodes nothing, and decodes its own question only. */
  @ParameterizedTest
  @ValueSource(strings = {"llava-1.5", "qwen2.5-vl", "gemma3"})
  void anImageThatTwoAskAboutAtOnceIsComputedOnce(String name) throws IOException {
    LoadOptions options = options(name, 768);
    for (int round = 0; round < 3; round++) {
      try (VisionLanguageModel model = open(options, 3);
          ExecutorService threads = Executors.newCachedThreadPool()) {
        List<List<Message>> all = List.of(about("Who?"), about("Why not?"), about("Where is it?"));
        List<CompletableFuture<Answer>> answers = new ArrayList<>();
        for (List<Message> messages : all) {
          answers.add(CompletableFuture.supplyAsync(() -> ask(model, messages), threads));
        }
        int encoded = 0;
        int cached = 0;
        int rows = 0;
        for (CompletableFuture<Answer> each : answers) {
          Answer answer = each.join();
          encoded += answer.usage().images().encoded();
          cached += answer.usage().cachedTokens();
          rows = answer.usage().imageTokens();
        }
        assertThat(encoded).isEqualTo(1);
        assertThat(cached).isGreaterThan(2 * rows);
        assertThat(answers.get(1).join().tokens()).isEqualTo(alone(options, all.get(1), SIX));
      }
    }
  }

  @Test
  void aSavedConversationFindsItsPlaces(@TempDir Path directory) throws IOException {
    Path file = directory.resolve("one.session");
    LoadOptions options = options("qwen2.5-vl", 256);
    try (VisionLanguageModel model = open(options, 2)) {
      ask(model, about("Who?"));
      takeAllSequences(model);
      try (ChatSession chat = model.newChat()) {
        Answer answer = chat.complete(text("Go on. ".repeat(8)), ENDLESS, AnswerListener.NONE);
        chat.save(file);
        chat.restore(file);
        assertThat(model.contextUse().keptPrefixes()).isZero();
        Answer again = chat.regenerate(ENDLESS, AnswerListener.NONE);
        assertThat(again.tokens()).isEqualTo(answer.tokens());
        assertThat(again.usage().promptTokens() - again.usage().cachedTokens()).isEqualTo(1);
      }
    }
  }

  /** What came from a file is nobody else's, and is not kept for anybody. */
  @Test
  void whatCameFromAFileIsNotKept(@TempDir Path directory) throws IOException {
    Path file = directory.resolve("one.session");
    try (VisionLanguageModel model = open(options("llava-1.5", 768), 2);
        ChatSession chat = model.newChat();
        ChatSession second = model.newChat();
        ChatSession third = model.newChat()) {
      chat.complete(about("Who?"), SIX, AnswerListener.NONE);
      chat.save(file);
      chat.restore(file);
      second.complete(text("Something else."), SIX, AnswerListener.NONE);
      third.complete(text("And now for that."), SIX, AnswerListener.NONE);
      assertThat(chat.contextUsed()).isZero();
      assertThat(model.contextUse().keptPrefixes()).isZero();
    }
  }

  /** Recurrent states have no parts: nothing is kept, and answers are the same. */
  @Test
  void modelsWithRecurrentStatesKeepNothing(@TempDir Path directory) throws IOException {
    LoadOptions options =
        LoadOptions.of(TinyTextModel.write(directory.resolve("text.gguf"), "lfm2"))
            .withContextOptions(Golden.context(1024).withCache(TensorType.F32, TensorType.F32));
    List<Message> messages = text("And so on. ".repeat(40));
    try (VisionLanguageModel model = open(options, 2)) {
      Answer answer = ask(model, messages);
      assertThat(answer.usage().promptTokens()).isGreaterThan(256);
      takeAllSequences(model);
      assertThat(model.contextUse().keptPrefixes()).isZero();
      assertThat(ask(model, messages).tokens())
          .isEqualTo(answer.tokens())
          .isEqualTo(alone(options, messages, SIX));
    }
  }

  @Test
  void tellsWhatItsSequencesHold() throws IOException {
    try (VisionLanguageModel model = open(options("llava-1.5", 768), 2)) {
      assertThat(model.contextUse()).isEqualTo(ContextUse.NONE);
      List<Integer> answering = new ArrayList<>();
      try (ChatSession chat = model.newChat()) {
        chat.complete(
            about("Who?"),
            SIX,
            text ->
                answering.add(
                    (int)
                        model.contextUse().sequences().stream()
                            .filter(ContextUse.Sequence::answering)
                            .count()));
      }
      assertThat(answering).isNotEmpty().containsOnly(1);
      Answer answer = ask(model, about("Where?"));
      ContextUse.Sequence idle = new ContextUse.Sequence(false, 0, 0, 0);
      ContextUse.Sequence last =
          new ContextUse.Sequence(
              false,
              answer.usage().promptTokens() + 5,
              answer.usage().promptTokens(),
              answer.usage().cachedTokens());
      assertThat(model.contextUse().sequences()).hasSize(2).contains(last).doesNotContain(idle);
      assertThat(answer.usage().cachedTokens()).isPositive();
    }
  }
}
