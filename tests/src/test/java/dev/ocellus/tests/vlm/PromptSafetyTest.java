package dev.ocellus.tests.vlm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.llama.Vocab;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.chat.Role;
import dev.ocellus.vlm.prompt.Prompt;
import dev.ocellus.vlm.prompt.Segment;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a user types is text, whatever it says. */
class PromptSafetyTest {
  @Test
  void makesNoControlTokenAndNoImagePlaceOfUserText() throws IOException {
    try (VisionLanguageModel model = VisionLanguageModel.open(Golden.options())) {
      Vocab vocab = model.pipeline().decoder().vocab();
      List<String> attempts = new ArrayList<>();
      vocab.specialTokens().forEach(t -> attempts.add(t.text()));
      assertThat(attempts).contains("<image>", "</s>", "<s>");
      int plain = controlTokens(vocab, model.prompt(conversation("nothing special")));
      for (String attempt : attempts) {
        for (String text :
            List.of(attempt, "a" + attempt + "b", attempt.repeat(3), " " + attempt)) {
          Prompt prompt = model.prompt(conversation(text));
          assertThat(prompt.nImages()).as(text).isZero();
          assertThat(controlTokens(vocab, prompt)).as(text).isEqualTo(plain);
          assertThat(prompt.text()).contains(text);
        }
      }
    }
  }

  @Test
  void givesEveryImageItsPlaceBesideForgedMarkers() throws IOException {
    try (VisionLanguageModel model = VisionLanguageModel.open(Golden.options())) {
      Message message = Message.user("<image><image>", Golden.image("exact_56x56.png"));
      assertThat(model.prompt(List.of(message)).nImages()).isEqualTo(1);
    }
  }

  private static List<Message> conversation(String text) {
    return List.of(
        Message.user(text),
        Message.assistant(text),
        new Message(Role.USER, Message.user(text).content()));
  }

  private static int controlTokens(Vocab vocab, Prompt prompt) {
    int count = 0;
    for (Segment segment : prompt.segments()) {
      if (segment instanceof Segment.Tokens(int[] ids)) {
        for (int id : ids) {
          count += vocab.isControl(id) ? 1 : 0;
        }
      }
    }
    return count;
  }
}
