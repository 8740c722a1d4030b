package dev.ocellus.tests.vlm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.gguf.TensorType;
import dev.ocellus.llama.ContextOverflowException;
import dev.ocellus.llama.LlamaModel;
import dev.ocellus.tests.TinyTextModel;
import dev.ocellus.vlm.ChatSession;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.chat.Content;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.ImageUse;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.chat.Role;
import dev.ocellus.vlm.decode.LlamaDecoder;
import dev.ocellus.vlm.options.LoadOptions;
import dev.ocellus.vlm.options.ModelMismatchException;
import dev.ocellus.vlm.options.SessionOptions;
import dev.ocellus.vlm.session.SessionFormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SavedSessionTest {
  private static final GenerationOptions TEN =
      GenerationOptions.greedy().withMaxTokens(10).withIgnoreEos(true);
  private static final Message SECOND = Message.user("And now?");

  @TempDir Path directory;

  private static Message first() throws IOException {
    return new Message(
        Role.USER,
        List.of(
            new Content.Image(Golden.image("exact_56x56.png"), "images/é.png"),
            new Content.Text("What is it?")));
  }

  private static Answer send(ChatSession chat, Message message) {
    return chat.send(message, TEN, AnswerListener.NONE);
  }

  /** Saves a conversation of one turn, and gives the answer to the second question. */
  private static Answer save(LoadOptions options, Path file) throws IOException {
    try (VisionLanguageModel model = VisionLanguageModel.open(options);
        ChatSession chat = model.newChat()) {
      send(chat, options.mmproj() == null ? Message.user("Hello there") : first());
      chat.save(file);
      return send(chat, SECOND);
    }
  }

  private static void assertGoesOn(LoadOptions options, Path file, Answer expected)
      throws IOException {
    try (VisionLanguageModel model = VisionLanguageModel.open(options);
        ChatSession chat = model.newChat()) {
      chat.restore(file);
      assertThat(chat.history()).hasSize(2);
      Answer second = send(chat, SECOND);
      assertThat(second.tokens()).isEqualTo(expected.tokens());
      int cached = second.usage().cachedTokens();
      LlamaModel text = ((LlamaDecoder) model.pipeline().decoder()).model();
      if (!text.canSaveState()) {
        assertThat(cached).isZero(); // the history is saved, and computed again
      } else if (!text.canRollBack()) {
        // of a short conversation there is no checkpoint before its answer
        assertThat(cached).isEqualTo(expected.usage().cachedTokens());
      } else if (text.hasSlidingWindow()) {
        // what a window has left behind is not saved: all or nothing is used again
        assertThat(cached).isIn(0, expected.usage().cachedTokens());
      } else {
        assertThat(cached).isEqualTo(expected.usage().cachedTokens()).isPositive();
      }
    }
  }

  @Test
  void goesOnInAnotherProcessWithoutComputingAnythingAgain() throws IOException {
    Path file = directory.resolve("chat.session");
    Answer expected = save(Golden.options(), file);
    assertGoesOn(Golden.options(), file, expected);
    try (VisionLanguageModel model = VisionLanguageModel.open(Golden.options());
        ChatSession chat = model.newChat()) {
      chat.restore(file);
      assertThat(chat.history().getFirst()).isEqualTo(first());
      assertThat(send(chat, SECOND).usage().images()).isEqualTo(new ImageUse(0, 1, 0, 0));
      assertThat(chat.undo()).isTrue();
      Answer again = chat.regenerate(TEN, AnswerListener.NONE); // needs a part of what was saved
      assertThat(again.usage().promptTokens() - again.usage().cachedTokens()).isEqualTo(1);
    }
  }

  @Test
  void goesOnInAContextThatIsShared() throws IOException {
    Path file = directory.resolve("chat.session");
    Answer expected = save(Golden.options(), file);
    LoadOptions shared = Golden.options().withSessions(SessionOptions.defaults().withParallel(3));
    assertGoesOn(shared, file, expected);
    Path other = directory.resolve("other.session");
    assertGoesOn(Golden.options(), other, save(shared, other));
  }

  @Test
  void keepsWhatAFileSaysFromOtherConversations() throws IOException {
    Path file = directory.resolve("chat.session");
    save(Golden.options(), file);
    LoadOptions shared = Golden.options().withSessions(SessionOptions.defaults().withParallel(2));
    try (VisionLanguageModel model = VisionLanguageModel.open(shared)) {
      try (ChatSession stranger = model.newChat()) {
        stranger.restore(file);
        assertThat(stranger.contextUsed()).isPositive();
      }
      try (ChatSession elsewhere = model.newChat();
          ChatSession chat = model.newChat()) {
        send(elsewhere, Message.user("Hello"));
        Answer answer = send(chat, first()); // where the stranger's conversation stands
        assertThat(answer.usage().cachedTokens()).isLessThan(8);
        assertThat(answer.usage().images().fromContext()).isZero();
      }
      try (ChatSession chat = model.newChat()) { // what was computed here is of use to others
        assertThat(send(chat, first()).usage().cachedTokens()).isGreaterThan(8);
      }
    }
  }

  @Test
  void doesNotSaveWhatAnotherConversationLeftBehind() throws IOException {
    LoadOptions shared = Golden.options().withSessions(SessionOptions.defaults().withParallel(2));
    Path file = directory.resolve("chat.session");
    try (VisionLanguageModel model = VisionLanguageModel.open(shared)) {
      for (int i = 0; i < 2; i++) {
        try (ChatSession chat = model.newChat()) {
          send(chat, first());
        }
      }
      try (ChatSession chat = model.newChat()) {
        assertThatThrownBy(() -> send(chat, Message.user("x ".repeat(600))))
            .isInstanceOf(ContextOverflowException.class);
        assertThat(chat.contextUsed()).isZero();
        chat.save(file);
        chat.restore(file);
        assertThat(chat.contextUsed()).isZero();
      }
    }
  }

  @Test
  void goesOnWithEveryTextArchitecture() throws IOException {
    for (String architecture : TinyTextModel.ARCHITECTURES) {
      Path text = TinyTextModel.write(directory.resolve(architecture + ".gguf"), architecture);
      Path file = directory.resolve(architecture + ".session");
      LoadOptions options = LoadOptions.of(text).withContextOptions(Golden.context(512));
      Answer expected = save(options, file);
      if (!architecture.equals("hunyuan_vl")) { // a graph, whose keys and values are not saved
        assertGoesOn(options, file, expected);
      }
      try (VisionLanguageModel model = VisionLanguageModel.open(options);
          ChatSession fresh = model.newChat();
          ChatSession restored = model.newChat()) {
        restored.restore(file);
        List<Message> edited = List.of(Message.user("Hello where?"));
        assertThat(restored.complete(edited, TEN, AnswerListener.NONE).tokens())
            .as("an early part of a saved %s changed", architecture)
            .isEqualTo(fresh.complete(edited, TEN, AnswerListener.NONE).tokens());
      }
    }
  }

  @Test
  void computesAgainWhereKeysAndValuesDoNotFit() throws IOException {
    Path file = directory.resolve("chat.session");
    Answer expected = save(Golden.options(), file);
    LoadOptions f32 =
        Golden.options()
            .withContextOptions(Golden.context(512).withCache(TensorType.F32, TensorType.F32));
    LoadOptions small = Golden.options().withContextOptions(Golden.context(256));
    LoadOptions template =
        Golden.options()
            .withChatTemplate("{% for m in messages %}[{{ m['content'] }}]{% endfor %}");
    for (LoadOptions options : List.of(f32, template)) {
      try (VisionLanguageModel model = VisionLanguageModel.open(options);
          ChatSession chat = model.newChat()) {
        chat.restore(file);
        assertThat(send(chat, SECOND).usage().cachedTokens()).isZero();
      }
    }
    assertGoesOn(small, file, expected); // there is room for what was said
  }

  @Test
  void refusesASessionOfAnotherModelAndLosesNothing() throws IOException {
    Path file = directory.resolve("chat.session");
    Path other = TinyTextModel.write(directory.resolve("other.gguf"), "llama");
    save(LoadOptions.of(other).withContextOptions(Golden.context(512)), file);
    try (VisionLanguageModel model = VisionLanguageModel.open(Golden.options());
        ChatSession chat = model.newChat()) {
      send(chat, first());
      List<Message> before = chat.history();
      assertThatThrownBy(() -> chat.restore(file))
          .isInstanceOf(ModelMismatchException.class)
          .hasMessageContaining("chat.session")
          .hasMessageContaining("other.gguf");
      assertThat(chat.history()).isEqualTo(before);
      Answer next = send(chat, SECOND);
      assertThat(next.usage().cachedTokens()).isGreaterThan(30);
    }
  }

  @Test
  void refusesEveryDamageAndLosesNothing() throws IOException {
    Path file = directory.resolve("chat.session");
    save(Golden.options(), file);
    byte[] bytes = Files.readAllBytes(file);
    Path damaged = directory.resolve("damaged.session");
    try (VisionLanguageModel model = VisionLanguageModel.open(Golden.options());
        ChatSession chat = model.newChat()) {
      send(chat, first());
      List<Message> before = chat.history();
      int used = chat.contextUsed();
      for (int i = 0; i < bytes.length; i += i < 400 ? 7 : bytes.length / 40) {
        byte[] changed = bytes.clone();
        changed[i] ^= 0x20;
        Files.write(damaged, changed);
        assertThatThrownBy(() -> chat.restore(damaged))
            .as("byte %d", i)
            .isInstanceOf(SessionFormatException.class)
            .hasMessageContaining("damaged.session");
        Files.write(damaged, Arrays.copyOf(bytes, i));
        assertThatThrownBy(() -> chat.restore(damaged))
            .as("length %d", i)
            .isInstanceOf(SessionFormatException.class);
      }
      Files.write(damaged, Arrays.copyOf(bytes, bytes.length + 1));
      assertThatThrownBy(() -> chat.restore(damaged)).isInstanceOf(SessionFormatException.class);
      assertThatThrownBy(() -> chat.restore(directory.resolve("nowhere")))
          .isInstanceOf(NoSuchFileException.class);
      assertThat(chat.history()).isEqualTo(before);
      assertThat(chat.contextUsed()).isEqualTo(used);
      assertThat(send(chat, SECOND).usage().cachedTokens()).isGreaterThan(30);
    }
  }

  @Test
  void leavesTheOldFileWhenTheNewOneCannotBeWritten() throws IOException {
    Path file = directory.resolve("chat.session");
    save(Golden.options(), file);
    byte[] before = Files.readAllBytes(file);
    try (VisionLanguageModel model = VisionLanguageModel.open(Golden.options());
        ChatSession chat = model.newChat()) {
      chat.save(file); // an empty one is one as well
      assertThat(Files.size(file)).isLessThan(before.length);
      chat.restore(file);
      assertThat(chat.history()).isEmpty();
      assertThatThrownBy(() -> chat.save(directory.resolve("no/such/directory")))
          .isInstanceOf(IOException.class);
    }
    try (Stream<Path> files = Files.list(directory)) {
      assertThat(files).hasSize(1);
    }
  }
}
