package dev.ocellus.vlm.prompt;

import dev.ocellus.Setting;
import dev.ocellus.gguf.GgufMetadata;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The chat templates of a model, of which a conversation takes one.
 *
 * <p>A tokenizer of transformers takes the template named {@code tool_use} for conversations with
 * tools, where its templates have names; a processor, which models with images have, always takes
 * the default.
 *
 * @param source the default template; null if there is none
 * @param withTools the template for conversations with tools; null if that is the default one
 * @param names of those that are chosen by name only
 * @see <a
 *     href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/tokenization_utils_base.py">get_chat_template</a>
 */
public record ModelTemplates(
    @Nullable String source, @Nullable String withTools, List<String> names) {
  private static final String KEY = "tokenizer.chat_template";
  private static final String TOOL_USE = "tool_use";

  public ModelTemplates {
    names = List.copyOf(names);
  }

  /**
   * One template for everything.
   *
   * @param source its text; null for the default of the family
   */
  public static ModelTemplates of(@Nullable String source) {
    return new ModelTemplates(source, null, List.of());
  }

  /**
   * Those of a GGUF file.
   *
   * @param images whether there is an image encoder, and so a processor in transformers
   */
  public static ModelTemplates of(GgufMetadata metadata, boolean images) {
    String source = metadata.findString(KEY).orElse(null);
    String withTools = metadata.findString(KEY + "." + TOOL_USE).orElse(null);
    List<String> names =
        metadata.asMap().keySet().stream()
            .filter(key -> key.startsWith(KEY + "."))
            .map(key -> key.substring(KEY.length() + 1))
            .toList();
    return new ModelTemplates(source, images ? null : withTools, names);
  }

  /** These, or where there are none at all the one of the family. */
  ModelTemplates orElse(String ofFamily) {
    return source == null && names.isEmpty() ? of(ofFamily) : this;
  }

  /** The texts of all that a conversation may take. */
  String all() {
    String text = source == null ? "" : source;
    return withTools == null ? text : text + '\0' + withTools;
  }

  /** What to say where the default one is wanted, and there is none. */
  PromptException noDefault() {
    var e =
        new PromptException(
            "The model has no default chat template, only templates named %s. Give the text of one, or of another, as chat template."
                .formatted(String.join(", ", names)));
    e.about(Setting.CHAT_TEMPLATE);
    return e;
  }
}
