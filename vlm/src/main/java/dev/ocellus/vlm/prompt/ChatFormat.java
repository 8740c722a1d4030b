package dev.ocellus.vlm.prompt;

import dev.ocellus.vlm.Content;
import dev.ocellus.vlm.Message;
import dev.ocellus.vlm.Role;
import dev.ocellus.vlm.template.ChatTemplate;
import dev.ocellus.vlm.template.Rendered;
import dev.ocellus.vlm.template.TemplateException;
import dev.ocellus.vlm.template.Text;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Renders conversations with a chat template.
 *
 * <p>Templates take a message's content as a list of parts, as a string, or as either. Which one is
 * found out by rendering a probe; a list is preferred, because only a list says where pictures are.
 */
public final class ChatFormat {
  private static final String PROBE = "ocellus-probe";

  private final ChatTemplate template;
  private final @Nullable String imageMarker;
  private final String bosToken;
  private final String eosToken;
  private final boolean takesParts;

  /**
   * @param template source of the template
   * @param imageMarker what stands for a picture in templates that take strings; null for a model
   *     without pictures
   * @param bosToken text of the beginning-of-sequence token, or empty
   * @param eosToken text of the end-of-sequence token, or empty
   * @throws TemplateException if the template cannot be compiled
   */
  public ChatFormat(
      String template, @Nullable String imageMarker, String bosToken, String eosToken) {
    this.template = ChatTemplate.compile(template);
    this.imageMarker = imageMarker;
    this.bosToken = bosToken;
    this.eosToken = eosToken;
    this.takesParts = probe();
  }

  /** Whether a list of parts comes out as its text, and not as a printed list or not at all. */
  private boolean probe() {
    try {
      Message message = Message.of(Role.USER, PROBE);
      String text = render(List.of(message), true, true).text();
      return text.contains(PROBE) && !text.contains("'text'") && !text.contains("\"text\"");
    } catch (TemplateException e) {
      return false;
    }
  }

  /**
   * Renders a conversation up to where the answer begins.
   *
   * @throws TemplateException if the template refuses it or fails
   */
  public Rendered render(List<Message> messages) {
    return render(messages, takesParts, true);
  }

  /** Renders with the pictures written into the text, for templates that leave them out. */
  public Rendered renderAsText(List<Message> messages) {
    return render(messages, false, true);
  }

  private Rendered render(List<Message> messages, boolean asParts, boolean addGenerationPrompt) {
    List<Map<String, Object>> list = new ArrayList<>();
    for (Message message : messages) {
      Map<String, Object> entry = new LinkedHashMap<>();
      entry.put("role", Text.trusted(message.role().word()));
      entry.put("content", asParts ? parts(message) : string(message));
      list.add(entry);
    }
    Map<String, Object> context = new LinkedHashMap<>();
    context.put("messages", list);
    context.put("add_generation_prompt", addGenerationPrompt);
    context.put("bos_token", Text.trusted(bosToken));
    context.put("eos_token", Text.trusted(eosToken));
    return template.render(context);
  }

  private static List<Map<String, Object>> parts(Message message) {
    List<Map<String, Object>> parts = new ArrayList<>();
    for (Content content : message.content()) {
      Map<String, Object> part = new LinkedHashMap<>();
      switch (content) {
        case Content.Text(String text) -> {
          part.put("type", Text.trusted("text"));
          part.put("text", Text.input(text));
        }
        case Content.Image image -> part.put("type", Text.trusted("image"));
      }
      parts.add(part);
    }
    return parts;
  }

  private Text string(Message message) {
    List<Text> pieces = new ArrayList<>();
    for (Content content : message.content()) {
      switch (content) {
        case Content.Text(String text) -> pieces.add(Text.input(text));
        case Content.Image image -> {
          if (imageMarker == null) {
            throw new PromptException(
                "A message has a picture, but no image encoder is loaded; give one with --mmproj");
          }
          pieces.add(Text.image(imageMarker));
          pieces.add(Text.trusted("\n"));
        }
      }
    }
    return Text.join(pieces);
  }
}
