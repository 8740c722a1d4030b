package dev.ocellus.tests.vlm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.vlm.ChatSession;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.chat.Content;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.ImageUse;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.chat.Role;
import dev.ocellus.vlm.image.ImageFrame;
import dev.ocellus.vlm.image.ImageLimits;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.Video;
import dev.ocellus.vlm.image.codec.VideoReader;
import dev.ocellus.vlm.json.ImageLoader;
import dev.ocellus.vlm.json.MessagesJson;
import dev.ocellus.vlm.options.LoadOptions;
import dev.ocellus.vlm.options.SessionOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SavedVideoTest {
  private static final GenerationOptions EIGHT =
      GenerationOptions.greedy().withMaxTokens(8).withIgnoreEos(true);
  private static final Message SECOND = Message.user("And then?");

  @TempDir Path directory;

  private static LoadOptions options(String model) {
    Path gguf = Path.of("golden/models", model, "gguf");
    return LoadOptions.of(gguf.resolve("text.gguf"), gguf.resolve("mmproj.gguf"))
        .withContextOptions(Golden.context(1024));
  }

  private static Video clip(String name, double fps) throws IOException {
    return VideoReader.read(
        Path.of("golden/clips", name), OptionalDouble.of(fps), ImageLimits.DEFAULT);
  }

  private static Video animation() {
    List<ImageFrame> frames = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      RgbImage image = Golden.noise(56, 56, i);
      frames.add(new ImageFrame(image, Duration.ofMillis(300 + 500L * i)));
    }
    return Video.ofAnimation(frames);
  }

  /** Two videos, of which one has times of its own, and an image between them. */
  private static Message first() throws IOException {
    return new Message(
        Role.USER,
        List.of(
            new Content.Text("Look:"),
            new Content.Video(clip("square-clip", 3), "clips/é"),
            new Content.Image(Golden.image("exact_56x56.png"), "a.png"),
            new Content.Video(animation(), ""),
            new Content.Text("What happens?")));
  }

  private static Answer send(ChatSession chat, Message message) {
    return chat.send(message, EIGHT, AnswerListener.NONE);
  }

  @ParameterizedTest
  @ValueSource(strings = {"qwen2-vl", "qwen2.5-vl", "qwen3-vl", "smolvlm2"})
  void goesOnAboutVideosWithoutComputingThemAgain(String name) throws IOException {
    Path file = directory.resolve("chat.session");
    Answer expected;
    try (VisionLanguageModel model = VisionLanguageModel.open(options(name));
        ChatSession chat = model.newChat()) {
      send(chat, first());
      chat.save(file);
      expected = send(chat, SECOND);
    }
    LoadOptions shared = options(name).withSessions(SessionOptions.defaults().withParallel(2));
    for (LoadOptions options : List.of(options(name), shared)) {
      try (VisionLanguageModel model = VisionLanguageModel.open(options);
          ChatSession chat = model.newChat()) {
        chat.restore(file);
        assertThat(chat.history()).hasSize(2);
        assertThat(chat.history().getFirst()).isEqualTo(first());
        Answer second = send(chat, SECOND);
        assertThat(second.tokens()).isEqualTo(expected.tokens());
        assertThat(second.usage()).isEqualTo(expected.usage());
        assertThat(second.usage().images()).isEqualTo(new ImageUse(0, 3, 0, 0));
        assertThat(second.usage().imageTokens()).isGreaterThan(20);
        assertThat(second.usage().promptTokens() - second.usage().cachedTokens())
            .as("new text")
            .isBetween(2, 50);
      }
    }
  }

  @Test
  void asksAgainAboutARestoredVideoWithAnotherQuestion() throws IOException {
    Path file = directory.resolve("chat.session");
    List<Message> other =
        List.of(
            new Message(
                Role.USER,
                List.of(
                    new Content.Video(clip("square-clip", 3), ""), new Content.Text("Why now?"))));
    Message same =
        new Message(
            Role.USER,
            List.of(
                new Content.Video(clip("square-clip", 3), ""), new Content.Text("What is it?")));
    Answer expected;
    try (VisionLanguageModel model = VisionLanguageModel.open(options("qwen2.5-vl"));
        ChatSession chat = model.newChat()) {
      expected = chat.complete(other, EIGHT, AnswerListener.NONE);
      chat.clear();
      send(chat, same);
      chat.save(file);
    }
    try (VisionLanguageModel model = VisionLanguageModel.open(options("qwen2.5-vl"));
        ChatSession chat = model.newChat()) {
      chat.restore(file);
      Answer answer = chat.complete(other, EIGHT, AnswerListener.NONE); // a part of what was saved
      assertThat(answer.tokens()).isEqualTo(expected.tokens());
      assertThat(answer.usage().cachedTokens())
          .isGreaterThan(answer.usage().imageTokens())
          .isLessThan(answer.usage().promptTokens() - 1);
    }
  }

  @Test
  void aRestoredConversationIsWrittenAsJsonWithAllItsVideos() throws IOException {
    Path file = directory.resolve("chat.session");
    try (VisionLanguageModel model = VisionLanguageModel.open(options("smolvlm2"));
        ChatSession chat = model.newChat()) {
      Message chosen =
          new Message(
              Role.USER,
              List.of(
                  new Content.Video(clip("square-clip", 3).evenly(2), "golden/clips/square-clip")));
      chat.setHistory(List.of(first(), Message.assistant("x"), chosen));
      chat.save(file);
      chat.clear();
      chat.restore(file);
      assertThat(chat.history()).element(2).isEqualTo(chosen);
      // names no file that would give other frames, and does not need those that it has names of
      List<Message> inline = chat.history().stream().map(SavedVideoTest::withoutSources).toList();
      String json = MessagesJson.write(inline);
      assertThat(MessagesJson.parse(json, ImageLoader.inlineOnly(ImageLimits.DEFAULT)))
          .isEqualTo(inline);
      assertThat(MessagesJson.write(chat.history()))
          .contains("\"clips/é\"")
          .doesNotContain("golden/clips/square-clip");
    }
  }

  private static Message withoutSources(Message message) {
    return message.withContent(
        message.content().stream()
            .<Content>map(part ->
                switch (part) {
                  case Content.Text text -> text;
                  case Content.Image image -> new Content.Image(image.image(), "");
                  case Content.Video video -> new Content.Video(video.video(), "");
                })
            .toList());
  }
}
