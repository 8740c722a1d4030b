package dev.ocellus.tests.vlm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.OcellusException;
import dev.ocellus.Setting;
import dev.ocellus.SettingsRelated;
import dev.ocellus.llama.ContextOverflowException;
import dev.ocellus.vlm.ChatSession;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.chat.Content;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.chat.Role;
import dev.ocellus.vlm.image.Rgb;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.Video;
import dev.ocellus.vlm.options.LoadOptions;
import dev.ocellus.vlm.prompt.PromptException;
import dev.ocellus.vlm.vision.UnsupportedContentException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Images and videos that do not fit, with a model of every family: refused, and nothing breaks. */
class BadImagesTest {
  private static final GenerationOptions SHORT = GenerationOptions.greedy().withMaxTokens(3);
  private static final Set<String> WITH_VIDEO =
      Set.of("qwen2-vl", "qwen2.5-vl", "qwen3-vl", "smolvlm2", "internvl-6b", "llava-onevision");

  private static LoadOptions options(String model) {
    Path gguf = Path.of("golden/models", model, "gguf");
    return LoadOptions.of(gguf.resolve("text.gguf"), gguf.resolve("mmproj.gguf"))
        .withContextOptions(Golden.context(2048));
  }

  private static void assertThatItWorks(ChatSession chat) {
    chat.clear();
    Message question = Message.user("What is this?", Golden.noise(97, 61, 1));
    assertThat(chat.send(question, SHORT, AnswerListener.NONE).tokens()).isNotNull();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "llava-1.5",
        "llava-onevision",
        "internvl-6b",
        "qwen2-vl",
        "qwen2.5-vl",
        "qwen3-vl",
        "smolvlm2",
        "gemma3",
        "janus"
      })
  void takesOrRefusesEveryShape(String model) throws IOException {
    try (VisionLanguageModel vlm = VisionLanguageModel.open(options(model));
        ChatSession chat = vlm.newChat()) {
      int[][] sizes = {{1, 1}, {1, 2}, {2, 1}, {1, 150}, {150, 1}, {1, 5000}, {5000, 1}, {3, 601}};
      for (int[] size : sizes) {
        chat.clear();
        RgbImage image = RgbImage.filled(size[0], size[1], new Rgb(10, 200, 30));
        try {
          chat.send(Message.user("What?", image), SHORT, AnswerListener.NONE);
        } catch (OcellusException e) {
          assertThat(e.getMessage()).as("%s, %s", model, image).hasSizeGreaterThan(40);
          assertThat(e.getMessage()).matches("(?s).*(" + size[0] + ".*" + size[1] + "|-c).*");
        }
        assertThat(chat.history().size() % 2).as("a turn is whole or not there").isZero();
      }
      assertThatItWorks(chat);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"llava-1.5", "llava-onevision", "internvl-6b", "qwen2-vl", "qwen3-vl", "smolvlm2"})
  void refusesMoreImagesThanTheContextHolds(String model) throws IOException {
    LoadOptions small = options(model).withContextOptions(Golden.context(256));
    try (VisionLanguageModel vlm = VisionLanguageModel.open(small);
        ChatSession chat = vlm.newChat()) {
      RgbImage[] many = Collections.nCopies(100, Golden.noise(97, 61, 1)).toArray(RgbImage[]::new);
      assertThatThrownBy(() -> chat.send(Message.user("What?", many), SHORT, AnswerListener.NONE))
          .isInstanceOf(ContextOverflowException.class)
          .hasMessageContaining("images")
          .hasMessageContaining("256")
          .extracting(e -> ((SettingsRelated) e).settings().getFirst())
          .isEqualTo(Setting.CONTEXT_SIZE);
      assertThatItWorks(chat);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"llava-1.5", "qwen2.5-vl", "qwen3-vl", "janus", "smolvlm2"})
  void splitsImagesThatAreLargerThanABatch(String model) throws IOException {
    Message question = Message.user("What is this?", Golden.noise(97, 61, 1));
    List<int[]> answers = new ArrayList<>();
    for (int nBatch : new int[] {512, 3}) {
      LoadOptions options =
          options(model).withContextOptions(Golden.context(512).withBatch(nBatch, nBatch));
      try (VisionLanguageModel vlm = VisionLanguageModel.open(options);
          ChatSession chat = vlm.newChat()) {
        answers.add(chat.send(question, SHORT, AnswerListener.NONE).tokens());
      }
    }
    assertThat(answers.get(1)).isEqualTo(answers.get(0));
  }

  @ParameterizedTest
  @ValueSource(strings = "gemma3")
  void refusesToSplitAnImageWithNonCausalAttention(String model) throws IOException {
    LoadOptions options = options(model).withContextOptions(Golden.context(512).withBatch(3, 3));
    try (VisionLanguageModel vlm = VisionLanguageModel.open(options);
        ChatSession chat = vlm.newChat()) {
      assertThatThrownBy(() -> assertThatItWorks(chat))
          .isInstanceOf(ContextOverflowException.class)
          .hasMessageContaining("4 tokens")
          .hasMessageContaining("3 at once")
          .extracting(e -> ((SettingsRelated) e).settings().getFirst())
          .isEqualTo(Setting.MICRO_BATCH);
      assertThat(chat.send(Message.user("Only text"), SHORT, AnswerListener.NONE).tokens())
          .isNotNull();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"llava-1.5", "internvl-6b", "qwen2-vl", "smolvlm2", "gemma3", "janus"})
  void refusesTemplatesWithMoreOrFewerPlacesThanImages(String model) throws IOException {
    String marker;
    try (VisionLanguageModel vlm = VisionLanguageModel.open(options(model))) {
      marker = vlm.encoder().orElseThrow().architecture().promptFormat().imageMarker();
    }
    for (String template : List.of("{{ messages[0]['role'] }}", marker + " and " + marker)) {
      try (VisionLanguageModel vlm =
              VisionLanguageModel.open(options(model).withChatTemplate(template));
          ChatSession chat = vlm.newChat()) {
        int places = template.startsWith("{{") ? 0 : 2;
        assertThatThrownBy(() -> assertThatItWorks(chat))
            .isInstanceOf(PromptException.class)
            .hasMessageContaining("1 image")
            .hasMessageContaining("places for " + places)
            .hasMessageContaining("another chat template");
        assertThat(chat.history()).isEmpty();
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "llava-1.5",
        "llava-onevision",
        "internvl-6b",
        "qwen2-vl",
        "qwen2.5-vl",
        "qwen3-vl",
        "smolvlm2",
        "gemma3",
        "janus"
      })
  void takesVideosOrSaysThatTheFamilyDoesNot(String model) throws IOException {
    Video video = Video.of(Collections.nCopies(3, Golden.noise(60, 50, 3)), 2);
    Message question =
        new Message(
            Role.USER, List.of(new Content.Video(video, ""), new Content.Text("What happens?")));
    try (VisionLanguageModel vlm = VisionLanguageModel.open(options(model));
        ChatSession chat = vlm.newChat()) {
      if (WITH_VIDEO.contains(model)) {
        assertThat(chat.send(question, SHORT, AnswerListener.NONE).tokens()).isNotNull();
      } else {
        assertThatThrownBy(() -> chat.send(question, SHORT, AnswerListener.NONE))
            .isInstanceOf(UnsupportedContentException.class)
            .hasMessageContaining("take no videos")
            .hasMessageContaining("frames as images");
      }
      assertThatItWorks(chat);
    }
  }
}
