package dev.ocellus.tests.vlm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.options.LoadOptions;
import dev.ocellus.vlm.prompt.Prompt;
import dev.ocellus.vlm.prompt.Segment;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Templates that take the content of a message as a string only get the family's own marks. */
class StringTemplatesTest {
  private static final String STRINGS_ONLY =
      "{% for m in messages %}{{ '[' + m['role'] + '] ' + m['content'] }}{% endfor %}";

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "llava-1.5; [user] <image>\\nWhat?",
        "llava-onevision; [user] <image>\\nWhat?",
        "internvl-6b; [user] <IMG_CONTEXT>\\nWhat?",
        "qwen2-vl; [user] <|vision_start|><|image_pad|><|vision_end|>What?",
        "qwen2.5-vl; [user] <|vision_start|><|image_pad|><|vision_end|>What?",
        "qwen3-vl; [user] <|vision_start|><|image_pad|><|vision_end|>What?",
        "smolvlm2; [user] <image>What?",
        "gemma3; [user] <start_of_image>What?",
        "janus; [user] <image_placeholder>\\nWhat?"
      })
  void getTheMarksThatBelongAroundAPicture(String model, String expected) throws IOException {
    Path gguf = Path.of("golden/models", model, "gguf");
    LoadOptions options =
        LoadOptions.of(gguf.resolve("text.gguf"), gguf.resolve("mmproj.gguf"))
            .withChatTemplate(STRINGS_ONLY);
    try (VisionLanguageModel vlm = VisionLanguageModel.open(options)) {
      Prompt prompt = vlm.prompt(List.of(Message.user("What?", Golden.noise(9, 9, 1))));
      assertThat(prompt.text()).isEqualTo(expected.replace("\\n", "\n"));
      assertThat(prompt.nImages()).isEqualTo(1);
      if (model.startsWith("qwen")) {
        int[] before = ((Segment.Tokens) prompt.segments().get(0)).ids();
        assertThat(before[before.length - 1]).as("<|vision_start|>").isEqualTo(489);
        assertThat(((Segment.Tokens) prompt.segments().get(2)).ids()[0])
            .as("<|vision_end|>")
            .isEqualTo(490);
      }
    }
  }
}
