package dev.ocellus.tests.vlm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.convert.ConvertOptions;
import dev.ocellus.convert.ConvertProgress;
import dev.ocellus.convert.Converter;
import dev.ocellus.convert.common.OutputType;
import dev.ocellus.gguf.TensorType;
import dev.ocellus.vlm.ChatSession;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.chat.Content;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.chat.Role;
import dev.ocellus.vlm.image.ImageLimits;
import dev.ocellus.vlm.image.Video;
import dev.ocellus.vlm.image.codec.VideoReader;
import dev.ocellus.vlm.options.LoadOptions;
import dev.ocellus.vlm.options.SessionOptions;
import dev.ocellus.vlm.vision.ImageOptions;
import dev.ocellus.vlm.vision.ImagePiece;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.OptionalDouble;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Videos of Qwen2.5-VL whose pairs of frames share positions in time: each attends to those before
 * it, however they come into the context. What transformers answers about such is in the golden
 * data ({@code qwen2.5-vl-blocks}, {@code more} and {@code mixed}).
 */
class SharedTimesTest {
  private static final GenerationOptions TEN =
      GenerationOptions.greedy().withMaxTokens(10).withIgnoreEos(true);

  /** What transformers answers to {@link #bare}, that is about one video. */
  private static final int[] EXPECTED = {396, 241, 435, 412, 8, 102, 265, 241, 475, 114};

  @TempDir static Path models;
  @TempDir Path directory;

  @BeforeAll
  static void convert() throws IOException {
    Converter.convert(
        Path.of("golden/models/qwen2.5-vl-blocks/hf"),
        ConvertOptions.defaults()
            .withOutput(models.resolve("text.gguf"), null)
            .withTypes(OutputType.F32, OutputType.F32),
        ConvertProgress.NONE);
  }

  /** Keys and values in F32, so that rounding does not decide between tokens. */
  private static LoadOptions options(int nUbatch) {
    return LoadOptions.of(models.resolve("text.gguf"), models.resolve("mmproj-text.gguf"))
        .withContextOptions(
            Golden.context(1024).withBatch(512, nUbatch).withCache(TensorType.F32, TensorType.F32));
  }

  private static LoadOptions shared() {
    return options(512).withSessions(SessionOptions.defaults().withParallel(3));
  }

  private static Video clip(double fps) throws IOException {
    return VideoReader.read(
        Path.of("golden/clips/long-clip"), OptionalDouble.of(fps), ImageLimits.DEFAULT);
  }

  private static Message question(String text) throws IOException {
    return new Message(
        Role.USER,
        List.of(
            new Content.Image(Golden.image("exact_112x56.png"), ""),
            new Content.Video(clip(60), ""),
            new Content.Video(clip(30), ""),
            new Content.Text(text)));
  }

  private static Message bare() throws IOException {
    return new Message(
        Role.USER, List.of(new Content.Video(clip(30), ""), new Content.Text("What happens?")));
  }

  private static Answer ask(ChatSession chat, Message... messages) {
    return chat.complete(List.of(messages), TEN, AnswerListener.NONE);
  }

  private static Answer alone(int nUbatch, Message... messages) throws IOException {
    try (VisionLanguageModel model = VisionLanguageModel.open(options(nUbatch));
        ChatSession chat = model.newChat()) {
      return ask(chat, messages);
    }
  }

  @Test
  void framesShareTimes() throws IOException {
    try (VisionLanguageModel model = VisionLanguageModel.open(options(512))) {
      List<ImagePiece> layout =
          Objects.requireNonNull(model.pipeline().encoder())
              .architecture()
              .prepare(clip(30), ImageOptions.DEFAULT)
              .layout();
      assertThat(layout)
          .singleElement()
          .isEqualTo(ImagePiece.Embeddings.grids(1, 1, List.of(0, 0, 0, 0)));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {512, 3, 2, 1})
  void answersTheSameHoweverAVideoIsDivided(int nUbatch) throws IOException {
    assertThat(alone(nUbatch, bare()).tokens()).isEqualTo(EXPECTED);
    Answer expected = alone(512, question("What happens?"));
    assertThat(expected.usage().imageTokens()).isEqualTo(8 + 2 + 4);
    Answer divided = alone(nUbatch, question("What happens?"));
    assertThat(divided.tokens()).isEqualTo(expected.tokens());
  }

  @Test
  void goesOnIsUndoneAndSaved() throws IOException {
    Message first = question("What happens?");
    Path file = directory.resolve("chat.session");
    Answer again;
    Answer next;
    List<Message> history;
    try (VisionLanguageModel model = VisionLanguageModel.open(options(512));
        ChatSession chat = model.newChat()) {
      Answer answer = chat.send(first, TEN, AnswerListener.NONE);
      again = chat.regenerate(TEN, AnswerListener.NONE);
      assertThat(again.tokens()).isEqualTo(answer.tokens());
      assertThat(again.usage().cachedTokens()).isEqualTo(again.usage().promptTokens() - 1);
      chat.save(file);
      history = chat.history();
      next = chat.send(Message.user("And then?"), TEN, AnswerListener.NONE);
    }
    Answer fresh = alone(512, history.get(0), history.get(1), Message.user("And then?"));
    assertThat(next.tokens()).isEqualTo(fresh.tokens());
    for (LoadOptions options : List.of(options(512), options(3), shared())) {
      try (VisionLanguageModel model = VisionLanguageModel.open(options);
          ChatSession chat = model.newChat()) {
        chat.restore(file);
        Answer restored = chat.send(Message.user("And then?"), TEN, AnswerListener.NONE);
        assertThat(restored.tokens()).isEqualTo(fresh.tokens());
        assertThat(restored.usage().images().encoded()).isZero();
        chat.undo();
        chat.undo();
        Answer other = chat.send(question("Why?"), TEN, AnswerListener.NONE);
        assertThat(other.tokens()).isEqualTo(alone(512, question("Why?")).tokens());
        assertThat(other.usage().cachedTokens()).isGreaterThan(other.usage().imageTokens());
      }
    }
  }

  @Test
  void conversationsOfOneContextAnswerAsAlone() throws IOException {
    List<Message> questions = List.of(question("What happens?"), bare(), question("Why?"));
    try (VisionLanguageModel model = VisionLanguageModel.open(shared());
        ExecutorService threads = Executors.newFixedThreadPool(3)) {
      List<CompletableFuture<Answer>> answers = new ArrayList<>();
      for (Message question : questions) {
        answers.add(
            CompletableFuture.supplyAsync(
                () -> {
                  try (ChatSession chat = model.newChat()) {
                    return ask(chat, question);
                  }
                },
                threads));
      }
      for (int i = 0; i < questions.size(); i++) {
        assertThat(answers.get(i).join().tokens()).isEqualTo(alone(512, questions.get(i)).tokens());
      }
    }
  }
}
