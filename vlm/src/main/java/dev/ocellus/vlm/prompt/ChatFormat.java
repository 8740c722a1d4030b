package dev.ocellus.vlm.prompt;

import dev.ocellus.vlm.Content;
import dev.ocellus.vlm.Message;
import dev.ocellus.vlm.Role;
import dev.ocellus.vlm.image.Visual;
import dev.ocellus.vlm.template.ChatTemplate;
import dev.ocellus.vlm.template.Rendered;
import dev.ocellus.vlm.template.TemplateException;
import dev.ocellus.vlm.template.Text;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * Renders conversations with a chat template.
 *
 * <p>Templates take a message's content as a list of parts, as a string, or as either. Which one is
 * found out by rendering a probe; a list is preferred, because only a list says where pictures are.
 */
public final class ChatFormat {
  private static final String PROBE = "ocellus-probe";

  private final ChatTemplate template;
  private final String bosToken;
  private final String eosToken;
  private final boolean takesParts;

  /**
   * @param template source of the template
   * @param bosToken text of the beginning-of-sequence token, or empty
   * @param eosToken text of the end-of-sequence token, or empty
   * @throws TemplateException if the template cannot be compiled
   */
  public ChatFormat(String template, String bosToken, String eosToken) {
    this.template = ChatTemplate.compile(template);
    this.bosToken = bosToken;
    this.eosToken = eosToken;
    this.takesParts = probe();
  }

  /** Whether a list of parts comes out as its text, and not as a printed list or not at all. */
  private boolean probe() {
    try {
      Message message = Message.of(Role.USER, PROBE);
      String text = render(List.of(message), Shown.PARTS, visual -> "", true).text();
      return text.contains(PROBE) && !text.contains("'text'") && !text.contains("\"text\"");
    } catch (TemplateException e) {
      return false;
    }
  }

  /** How what a message shows is given to the template. */
  public enum Shown {
    /** As the template wants it: parts of their own, or written into the text of the message. */
    PARTS,
    /**
     * Pictures as parts of their own, and videos as text, for templates that know pictures only.
     */
    VIDEOS_AS_TEXT,
    /** Written into the text of the message, for templates that leave pictures out. */
    TEXT
  }

  /**
   * Renders a conversation up to where the answer begins.
   *
   * @param written what to write for a picture or video where the template has no place for it
   * @throws TemplateException if the template refuses it or fails
   */
  public Rendered render(List<Message> messages, Shown shown, Function<Visual, String> written) {
    return render(messages, takesParts ? shown : Shown.TEXT, written, true);
  }

  private Rendered render(
      List<Message> messages,
      Shown shown,
      Function<Visual, String> written,
      boolean addGenerationPrompt) {
    List<Map<String, Object>> list = new ArrayList<>();
    for (Message message : messages) {
      Map<String, Object> entry = new LinkedHashMap<>();
      entry.put("role", Text.trusted(message.role().word()));
      entry.put(
          "content",
          shown == Shown.TEXT
              ? string(message, written)
              : parts(message, shown == Shown.VIDEOS_AS_TEXT, written));
      list.add(entry);
    }
    Map<String, Object> context = new LinkedHashMap<>();
    context.put("messages", list);
    context.put("add_generation_prompt", addGenerationPrompt);
    context.put("bos_token", Text.trusted(bosToken));
    context.put("eos_token", Text.trusted(eosToken));
    return template.render(context);
  }

  private static List<Map<String, Object>> parts(
      Message message, boolean videosAsText, Function<Visual, String> written) {
    List<Map<String, Object>> parts = new ArrayList<>();
    for (Content content : message.content()) {
      parts.add(
          switch (content) {
            case Content.Text(String text) -> textPart(Text.input(text));
            case Content.Image image -> Map.of("type", Text.trusted("image"));
            case Content.Video video ->
                videosAsText
                    ? textPart(Text.image(written.apply(video.video())))
                    : Map.of("type", Text.trusted("video"));
          });
    }
    return parts;
  }

  private static Map<String, Object> textPart(Text text) {
    Map<String, Object> part = new LinkedHashMap<>();
    part.put("type", Text.trusted("text"));
    part.put("text", text);
    return part;
  }

  private static Text string(Message message, Function<Visual, String> written) {
    List<Text> pieces = new ArrayList<>();
    for (Content content : message.content()) {
      Visual visual = content.visual();
      if (visual != null) {
        pieces.add(Text.image(written.apply(visual)));
      } else if (content instanceof Content.Text(String text)) {
        pieces.add(Text.input(text));
      }
    }
    return Text.join(pieces);
  }
}
