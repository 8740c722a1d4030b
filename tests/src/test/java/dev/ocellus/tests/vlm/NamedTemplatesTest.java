package dev.ocellus.tests.vlm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.tests.TinyTextModel;
import dev.ocellus.vlm.ChatSession;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.chat.PromptOptions;
import dev.ocellus.vlm.chat.Tool;
import dev.ocellus.vlm.chat.ToolChoice;
import dev.ocellus.vlm.options.LoadOptions;
import dev.ocellus.vlm.prompt.PromptException;
import dev.ocellus.vlm.template.TemplateException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Models with several chat templates by name: as in transformers' {@code get_chat_template}, the
 * one named {@code tool_use} is for conversations with tools.
 */
class NamedTemplatesTest {
  private static final List<Tool> TOOLS =
      Tool.parseList("[{\"type\": \"function\", \"function\": {\"name\": \"zoom\"}}]");
  private static final String PLAIN = "PLAIN{% for m in messages %}{{ m.content }}{% endfor %}";
  private static final String WITH_TOOLS =
      "{# <tool_call> #}TOOLS{{ tools | tojson }}{% for m in messages %}{{ m.content }}{% for c in m.tool_calls %}<tool_call>{{ c.function | tojson }}</tool_call>{% endfor %}{% endfor %}";

  @TempDir Path folder;

  private Path model(@Nullable String plain, @Nullable String withTools) throws IOException {
    GgufWriter out = TinyTextModel.of("qwen2", 1);
    if (plain != null) {
      out.string("tokenizer.chat_template", plain);
    }
    if (withTools != null) {
      out.string("tokenizer.chat_template.tool_use", withTools);
      out.strings("tokenizer.chat_templates", List.of("tool_use"));
    }
    Path file = folder.resolve("named.gguf");
    out.write(file);
    return file;
  }

  private static String rendered(VisionLanguageModel model, List<Tool> tools) {
    return model
        .render(List.of(Message.user("q")), PromptOptions.defaults().withTools(tools))
        .text();
  }

  @Test
  void takesTheTemplateForToolsWhereToolsAreOffered() throws IOException {
    try (var model = VisionLanguageModel.open(LoadOptions.of(model(PLAIN, WITH_TOOLS)))) {
      assertThat(rendered(model, List.of())).isEqualTo("PLAINq");
      assertThat(rendered(model, TOOLS)).startsWith("TOOLS[{").contains("zoom").endsWith("q");
    }
  }

  @Test
  void constrainsAndReadsCallsInTheNotationOfThatTemplate() throws IOException {
    GenerationOptions options =
        GenerationOptions.greedy()
            .withMaxTokens(120)
            .withPrompt(
                PromptOptions.defaults().withTools(TOOLS).withToolChoice(ToolChoice.REQUIRED));
    try (var model = VisionLanguageModel.open(LoadOptions.of(model(PLAIN, WITH_TOOLS)));
        ChatSession chat = model.newChat()) {
      Answer answer = chat.send(Message.user("q"), options, AnswerListener.NONE);
      assertThat(answer.toolCalls()).isNotEmpty().allMatch(call -> call.name().equals("zoom"));
    }
  }

  @Test
  void aTemplateThatIsGivenCountsForBoth() throws IOException {
    LoadOptions options =
        LoadOptions.of(model(PLAIN, WITH_TOOLS)).withChatTemplate("GIVEN{{ tools | tojson }}");
    try (var model = VisionLanguageModel.open(options)) {
      assertThat(rendered(model, TOOLS)).startsWith("GIVEN[{");
    }
  }

  @Test
  void saysWhichTemplatesThereAreWhereNoneIsTheDefault() throws IOException {
    try (var model = VisionLanguageModel.open(LoadOptions.of(model(null, WITH_TOOLS)))) {
      assertThat(rendered(model, TOOLS)).startsWith("TOOLS[{");
      assertThatThrownBy(() -> rendered(model, List.of()))
          .isInstanceOf(PromptException.class)
          .hasMessageContaining("no default chat template")
          .hasMessageContaining("tool_use");
    }
  }

  @Test
  void aBrokenTemplateForToolsIsNoObstacleWithoutTools() throws IOException {
    try (var model = VisionLanguageModel.open(LoadOptions.of(model(PLAIN, "{% broken")))) {
      assertThat(rendered(model, List.of())).isEqualTo("PLAINq");
      assertThatThrownBy(() -> rendered(model, TOOLS)).isInstanceOf(TemplateException.class);
    }
  }
}
