package dev.ocellus.vlm.prompt;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.chat.PromptOptions;
import dev.ocellus.vlm.chat.Role;
import dev.ocellus.vlm.image.Rgb;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.vision.ChatTemplateName;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class DefaultTemplatesTest {
  private static final Message QUESTION = Message.of(Role.USER, "Why?");

  private static String render(ChatTemplateName name, ChatFormat.Shown shown, Message... messages) {
    return new ChatFormat(DefaultTemplates.of(name), "<s>", "</s>")
        .render(List.of(messages), PromptOptions.defaults(), shown, visual -> "<marker>")
        .text();
  }

  /** Those of conversations; the others read the text, or go on with it. */
  @ParameterizedTest
  @EnumSource(
      mode = EnumSource.Mode.EXCLUDE,
      names = {"BLIP2", "DEEPSEEK_OCR", "FLORENCE2"})
  void beginsAnAnswerBehindTheQuestion(ChatTemplateName name) {
    assertThat(render(name, ChatFormat.Shown.PARTS, QUESTION)).contains("Why?").doesNotEndWith("?");
  }

  /** The texts that the published templates of these models give. */
  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '`',
      value = {
        "BLIP2, <s>Why?",
        "CHATML, <|im_start|>user\\nWhy?<|im_end|>\\n<|im_start|>assistant\\n",
        "CHATML_QWEN2, <|im_start|>system\\nYou are a helpful"
            + " assistant.<|im_end|>\\n<|im_start|>user\\nWhy?<|im_end|>\\n<|im_start|>assistant\\n",
        "CHATML_QWEN_VL, <|im_start|>user\\nWhy?<|im_end|>\\n<|im_start|>assistant\\n",
        "CHATML_LLAVA_ONEVISION, <|im_start|>user \\nWhy?<|im_end|><|im_start|>assistant\\n",
        "GEMMA3, <s><start_of_turn>user\\nWhy?<end_of_turn>\\n<start_of_turn>model\\n",
        "GEMMA4, <s><|turn>user\\nWhy?<turn|>\\n<|turn>model\\n",
        "IDEFICS3, <s>User: Why?<end_of_utterance>\\nAssistant:",
        "JANUS, <|User|>: Why?\\n\\n<|Assistant|>:",
        "LLAMA3,"
            + " <s><|start_header_id|>user<|end_header_id|>\\n\\nWhy?<|eot_id|><|start_header_id|>assistant<|end_header_id|>\\n\\n",
        "LLAMA4,"
            + " <s><|header_start|>user<|header_end|>\\n\\nWhy?<|eot|><|header_start|>assistant<|header_end|>\\n\\n",
        "MISTRAL, <s>[INST]Why?[/INST]",
        "PALIGEMMA, <s>Why?\\n",
        "VICUNA, USER: Why? ASSISTANT:"
      })
  void rendersAQuestion(ChatTemplateName name, String expected) {
    assertThat(render(name, ChatFormat.Shown.PARTS, QUESTION))
        .isEqualTo(expected.replace("\\n", "\n"));
  }

  @ParameterizedTest
  @CsvSource({
    "CHATML_QWEN_VL, <|image_pad|>",
    "CHATML_LLAVA_ONEVISION, <image>",
    "GEMMA3, <start_of_image>",
    "GEMMA4, <|image|>",
    "IDEFICS3, <image>",
    "LLAMA4, <|image|>",
    "MISTRAL, [IMG]",
    "PALIGEMMA, <image>",
    "CHATML, <marker>",
    "CHATML_QWEN2, <marker>",
    "JANUS, <marker>",
    "LLAMA3, <marker>",
    "VICUNA, <marker>"
  })
  void hasAPlaceForAnImage(ChatTemplateName name, String marker) {
    Message message = Message.user("Why?", RgbImage.filled(2, 2, Rgb.BLACK));
    assertThat(render(name, ChatFormat.Shown.PARTS, message)).containsOnlyOnce(marker);
  }

  @Test
  void endsAnAnswerWithTheTokenOfTheModel() {
    Message answer = Message.of(Role.ASSISTANT, "So.");
    assertThat(render(ChatTemplateName.VICUNA, ChatFormat.Shown.PARTS, QUESTION, answer, QUESTION))
        .isEqualTo("USER: Why? ASSISTANT: So.</s>USER: Why? ASSISTANT:");
  }
}
