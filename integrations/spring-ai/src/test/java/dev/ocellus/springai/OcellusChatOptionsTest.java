package dev.ocellus.springai;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.springframework.ai.chat.prompt.ChatOptions;
import org.springframework.ai.model.tool.StructuredOutputChatOptions;
import org.springframework.ai.model.tool.ToolCallingChatOptions;
import org.springframework.ai.test.options.AbstractChatOptionsTests;

/** Spring AI's own tests of options, and how ours are merged. */
class OcellusChatOptionsTest
    extends AbstractChatOptionsTests<OcellusChatOptions, OcellusChatOptions.Builder> {
  private static OcellusChatOptions.Builder full() {
    return OcellusChatOptions.builder()
        .model("m")
        .temperature(0.5)
        .topK(7)
        .stopSequences(List.of("END"))
        .toolContext(Map.of("user", "a"))
        .outputSchema("{}")
        .grammar("root ::= \"a\"")
        .seed(3L)
        .minP(0.1)
        .repeatPenalty(1.1)
        .thinking(true)
        .toolChoice("none");
  }

  @Override
  protected Class<OcellusChatOptions> getConcreteOptionsClass() {
    return OcellusChatOptions.class;
  }

  @Override
  protected OcellusChatOptions.Builder readyToBuildBuilder() {
    return full();
  }

  @Test
  void mutatingKeepsEverything() {
    assertThat(full().build().mutate().build()).isEqualTo(full().build());
    assertThat(full().build().mutate().seed(4L).build()).isNotEqualTo(full().build());
  }

  @Test
  void whatAPromptSaysComesBeforeTheDefaults() {
    OcellusChatOptions defaults = full().build();
    OcellusChatOptions merged =
        defaults.with(OcellusChatOptions.builder().temperature(0.0).seed(9L).build());
    assertThat(merged).isEqualTo(full().temperature(0.0).seed(9L).build());
    assertThat(defaults.with(null)).isSameAs(defaults);
  }

  @Test
  void optionsOfOtherKindsAreTaken() {
    OcellusChatOptions defaults = full().build();
    assertThat(defaults.with(ChatOptions.builder().topK(1).stopSequences(List.of("X")).build()))
        .isEqualTo(full().topK(1).stopSequences(List.of("X")).build());
    assertThat(
            defaults.with(ToolCallingChatOptions.builder().toolContext(Map.of("b", "c")).build()))
        .isEqualTo(full().toolContext("b", "c").build());
    assertThat(
            defaults.with(StructuredOutputChatOptions.builder().outputSchema("{\"a\":1}").build()))
        .isEqualTo(full().outputSchema("{\"a\":1}").build());
  }

  /** As ChatClient does. */
  @Test
  void buildersAreCombined() {
    OcellusChatOptions combined =
        full()
            .build()
            .mutate()
            .combineWith(OcellusChatOptions.builder().thinking(false).topP(0.9))
            .toolContext(Map.of("more", "x"))
            .build();
    assertThat(combined)
        .isEqualTo(full().thinking(false).topP(0.9).toolContext("more", "x").build());
  }
}
