package dev.ocellus.vlm.prompt;

import dev.ocellus.vlm.vision.VisionArchitecture;
import org.jspecify.annotations.Nullable;

/** Chat templates for text models whose files bring none. */
final class DefaultTemplates {
  /** What models without a template of their own are talked to in. */
  private static final String CHATML =
      "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}{% endfor %}"
          + "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

  private DefaultTemplates() {}

  static String of(@Nullable VisionArchitecture architecture) {
    return architecture == null ? CHATML : architecture.defaultChatTemplate();
  }
}
