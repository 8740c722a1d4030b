package dev.ocellus.vlm.template;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** What probing finds out about templates of published models. */
class ChatTemplateCapabilitiesTest {
  private static ChatTemplateCapabilities of(String name) {
    return ChatTemplate.compile(Corpus.bundled().template(name + ".jinja")).capabilities();
  }

  @Test
  void findsImagesToolsAndThinking() {
    ChatTemplateCapabilities c = of("Qwen3.5-4B");
    assertThat(c)
        .isEqualTo(
            new ChatTemplateCapabilities(
                true,
                true,
                "<|vision_start|><|image_pad|><|vision_end|>",
                true,
                true,
                true,
                false,
                true,
                true,
                true,
                true));
    assertThat(c.images()).isTrue();
  }

  @Test
  void findsThatContentMustBeText() {
    ChatTemplateCapabilities c = of("Qwen-Qwen2.5-7B-Instruct");
    assertThat(c.stringContent()).isTrue();
    assertThat(c.partsContent()).isFalse();
    assertThat(c.images()).isFalse();
    assertThat(c.thinkingSwitch()).isFalse();
  }

  @Test
  void findsThatThereIsNoSystemRole() {
    ChatTemplateCapabilities c = of("google-gemma-2-2b-it");
    assertThat(c.systemRole()).isFalse();
    assertThat(c.tools()).isFalse();
    assertThat(c.generationPrompt()).isTrue();
  }

  @Test
  void findsThatContentMustBeParts() {
    ChatTemplate template =
        ChatTemplate.compile(
            "{% for m in messages %}{{ m.role }}:{% for p in m.content %}"
                + "{% if p.type == 'image' %}<image>{% else %}{{ p.text }}{% endif %}"
                + "{% endfor %}\n{% endfor %}");
    ChatTemplateCapabilities c = template.capabilities();
    assertThat(c.stringContent()).isFalse();
    assertThat(c.partsContent()).isTrue();
    assertThat(c.imagePlaceholder()).isEqualTo("<image>");
    assertThat(c.systemRole()).isTrue();
    assertThat(template.capabilities()).isSameAs(c);
  }

  @Test
  void findsImagesThatAllComeBeforeTheText() {
    ChatTemplateCapabilities c =
        ChatTemplate.compile(
                "{% for m in messages %}{{ m.role }}: {% for p in m.content if p.type == 'image' %}"
                    + "<image>{% endfor %}{% for p in m.content if p.type == 'text' %}{{ p.text }}"
                    + "{% endfor %}\n{% endfor %}")
            .capabilities();
    assertThat(c.imagePlaceholder()).isEqualTo("<image>");
  }
}
