package dev.ocellus.tests.vlm;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.llama.ContextOverflowException;
import dev.ocellus.vlm.ChatSession;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.chat.Role;
import dev.ocellus.vlm.options.OverflowPolicy;
import dev.ocellus.vlm.options.SessionOptions;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Changing what was said costs what comes after the change, and a full context can be emptied. */
class HistoryTest {
  private static final GenerationOptions TEN =
      GenerationOptions.greedy().withMaxTokens(10).withIgnoreEos(true);

  private static VisionLanguageModel model;

  @BeforeAll
  static void load() throws IOException {
    model = VisionLanguageModel.open(Golden.options());
  }

  @AfterAll
  static void free() {
    model.close();
  }

  private static Answer send(ChatSession chat, String text) {
    return chat.send(Message.user(text), TEN, AnswerListener.NONE);
  }

  private static Answer sendImage(ChatSession chat) throws IOException {
    return chat.send(
        Message.user("What is it?", Golden.image("exact_56x56.png")), TEN, AnswerListener.NONE);
  }

  private static int computed(Answer answer) {
    return answer.usage().promptTokens() - answer.usage().cachedTokens();
  }

  private static Answer anew(List<Message> messages) {
    try (ChatSession chat = model.newChat()) {
      return chat.complete(messages, TEN, AnswerListener.NONE);
    }
  }

  @Test
  void answersAgainForOneToken() throws IOException {
    try (ChatSession chat = model.newChat()) {
      Answer first = sendImage(chat);
      List<Message> before = chat.history();
      Answer again = chat.regenerate(TEN, AnswerListener.NONE);
      assertThat(again.tokens()).isEqualTo(first.tokens());
      assertThat(computed(again)).isEqualTo(1);
      assertThat(again.usage().images().encoded()).isZero();
      assertThat(chat.history()).isEqualTo(before);
    }
  }

  @Test
  void hasNothingToAnswerAgainWithoutAQuestion() {
    try (ChatSession chat = model.newChat()) {
      chat.add(Message.system("Be brief."));
      assertThatThrownBy(() -> chat.regenerate(TEN, AnswerListener.NONE))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("question");
    }
  }

  @Test
  void computesOnlyWhatComesAfterAnEdit() throws IOException {
    try (ChatSession chat = model.newChat()) {
      Answer first = sendImage(chat);
      send(chat, "And now?");
      chat.edit(2, Message.user("And then?"));
      assertThat(chat.history()).hasSize(3);
      Answer edited = chat.regenerate(TEN, AnswerListener.NONE);
      int before = first.usage().totalTokens() - 1; // the last token of an answer is not computed
      assertThat(edited.usage().cachedTokens()).isGreaterThan(before - 10);
      assertThat(computed(edited)).isLessThan(30);
      assertThat(edited.tokens()).isEqualTo(anew(chat.history().subList(0, 3)).tokens());
      assertThatThrownBy(() -> chat.edit(4, Message.user("x")))
          .isInstanceOf(IndexOutOfBoundsException.class);
    }
  }

  @Test
  void computesOnlyTheQuestionAfterOneWasTakenBack() throws IOException {
    try (ChatSession chat = model.newChat()) {
      sendImage(chat);
      send(chat, "word ".repeat(40));
      assertThat(chat.undo()).isTrue();
      Answer other = send(chat, "And then?");
      assertThat(computed(other)).isLessThan(30);
      assertThat(other.usage().images().encoded()).isZero();
      assertThat(other.tokens()).isEqualTo(anew(chat.history().subList(0, 3)).tokens());
    }
  }

  private static VisionLanguageModel openEvicting() throws IOException {
    return VisionLanguageModel.open(
        Golden.options()
            .withSessions(SessionOptions.defaults().withOverflow(OverflowPolicy.EVICT)));
  }

  @Test
  void forgetsTheOldestTurnsWithTheirImagesWhenToldTo() throws IOException {
    try (VisionLanguageModel evicting = openEvicting();
        ChatSession chat = evicting.newChat()) {
      chat.add(Message.system("Be brief."));
      Answer last = sendImage(chat);
      int evicted = 0;
      for (int i = 0; i < 20; i++) {
        last = send(chat, "word ".repeat(10) + i);
        evicted += last.usage().evictedMessages();
        assertThat(last.tokens()).hasSize(10);
      }
      assertThat(evicted).isGreaterThan(10).isEven();
      List<Message> history = chat.history();
      assertThat(history).hasSize(1 + 2 * 21 - evicted);
      assertThat(history.getFirst().role()).isEqualTo(Role.SYSTEM);
      assertThat(history.get(1).role()).isEqualTo(Role.USER);
      assertThat(history).allSatisfy(m -> assertThat(m.images()).isEmpty());
      assertThat(history.get(history.size() - 2).text()).endsWith("19");
      // as if the forgotten turns had never been
      assertThat(anew(history.subList(0, history.size() - 1)).tokens())
          .isEqualTo(requireNonNull(last).tokens());
    }
  }

  @Test
  void doesNotForgetATurnEveryTime() throws IOException {
    try (VisionLanguageModel evicting = openEvicting();
        ChatSession chat = evicting.newChat()) {
      int evictions = 0;
      for (int i = 0; i < 30; i++) {
        evictions += send(chat, "word ".repeat(10) + i).usage().evictedMessages() > 0 ? 1 : 0;
      }
      assertThat(evictions).isBetween(2, 10);
    }
  }

  @Test
  void refusesOneQuestionThatDoesNotFitEvenSo() throws IOException {
    try (VisionLanguageModel evicting = openEvicting();
        ChatSession chat = evicting.newChat()) {
      sendImage(chat);
      List<Message> before = chat.history();
      assertThatThrownBy(() -> send(chat, "word ".repeat(2000)))
          .isInstanceOf(ContextOverflowException.class);
      assertThat(chat.history()).isEqualTo(before);
    }
  }

  @Test
  void refusesAndKeepsEverythingUnlessToldTo() throws IOException {
    try (ChatSession chat = model.newChat()) {
      sendImage(chat);
      assertThatThrownBy(
              () -> {
                for (int i = 0; i < 40; i++) {
                  send(chat, "word ".repeat(10) + i);
                }
              })
          .isInstanceOf(ContextOverflowException.class);
      assertThat(chat.history().getFirst().images()).hasSize(1);
    }
  }
}
