package dev.ocellus.vlm.prompt;

import dev.ocellus.vlm.chat.Content;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.chat.PromptOptions;
import dev.ocellus.vlm.chat.Role;
import dev.ocellus.vlm.chat.Tool;
import dev.ocellus.vlm.chat.ToolCall;
import dev.ocellus.vlm.image.Visual;
import dev.ocellus.vlm.template.ChatTemplate;
import dev.ocellus.vlm.template.ContextJson;
import dev.ocellus.vlm.template.Rendered;
import dev.ocellus.vlm.template.TemplateException;
import dev.ocellus.vlm.template.text.TracedText;
import dev.ocellus.vlm.tool.AnswerFormat;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Renders conversations with a chat template.
 *
 * <p>Templates take a message's content as a list of parts, as a string, or as either. Which one is
 * found out by rendering a probe; a list is preferred, because only a list says where images are.
 */
public final class ChatFormat {
  private static final String PROBE = "ocellus-probe";

  private final ChatTemplate template;
  private final String bosToken;
  private final String eosToken;
  private final AnswerFormat answerFormat;
  private final boolean takesParts;

  /**
   * @param template source of the template
   * @param bosToken text of the beginning-of-sequence token, or empty
   * @param eosToken text of the end-of-sequence token, or empty
   * @throws TemplateException if the template cannot be compiled
   */
  public ChatFormat(String template, String bosToken, String eosToken) {
    this.template = ChatTemplate.compile(template);
    this.answerFormat = AnswerFormat.of(template);
    this.bosToken = bosToken;
    this.eosToken = eosToken;
    this.takesParts = probe();
  }

  /** Whether a list of parts comes out as its text, and not as a printed list or not at all. */
  private boolean probe() {
    try {
      Message message = Message.of(Role.USER, PROBE);
      String text =
          renderAs(Shown.PARTS, List.of(message), PromptOptions.defaults(), visual -> "").text();
      return text.contains(PROBE) && !text.contains("'text'") && !text.contains("\"text\"");
    } catch (TemplateException e) {
      return false;
    }
  }

  /** How the model writes reasoning and calls into its answers. */
  public AnswerFormat answerFormat() {
    return answerFormat;
  }

  /** How what a message shows is given to the template. */
  public enum Shown {
    /** As the template wants it: parts of their own, or written into the text of the message. */
    PARTS,
    /** Images as parts of their own, and videos as text, for templates that know images only. */
    VIDEOS_AS_TEXT,
    /** Written into the text of the message, for templates that leave images out. */
    TEXT
  }

  /**
   * Renders a conversation up to where the answer begins.
   *
   * @param written what to write for an image or video where the template has no place for it
   * @throws TemplateException if the template refuses it or fails
   * @throws PromptException if there are tools, and the template does not show them to the model
   */
  public Rendered render(
      List<Message> messages,
      PromptOptions options,
      Shown shown,
      Function<Visual, String> written) {
    return renderAs(takesParts ? shown : Shown.TEXT, messages, options, written);
  }

  private Rendered renderAs(
      Shown shown,
      List<Message> messages,
      PromptOptions options,
      Function<Visual, String> written) {
    List<Map<String, @Nullable Object>> list = new ArrayList<>();
    messages.forEach(message -> list.add(entry(message, shown, written)));
    Map<String, @Nullable Object> context = new LinkedHashMap<>(options.templateArguments());
    context.put("messages", list);
    context.put("add_generation_prompt", true);
    context.put("bos_token", TracedText.trusted(bosToken));
    context.put("eos_token", TracedText.trusted(eosToken));
    List<Tool> tools = options.tools();
    if (!tools.isEmpty()) {
      context.put(
          "tools", tools.stream().map(t -> ContextJson.parseValue(t.definition())).toList());
    }
    Rendered rendered = template.render(context);
    if (tools.stream().anyMatch(tool -> !rendered.text().contains(tool.name()))) {
      throw new PromptException(
          "The model's chat template does not show tools to the model. Use another template (--chat-template), or no tools.");
    }
    return rendered;
  }

  private Map<String, @Nullable Object> entry(
      Message message, Shown shown, Function<Visual, String> written) {
    Map<String, @Nullable Object> entry = new LinkedHashMap<>();
    entry.put("role", TracedText.trusted(message.role().word()));
    // where a tool is involved, templates expect strings even if they take parts elsewhere
    boolean tool = message.role() == Role.TOOL || !message.toolCalls().isEmpty();
    boolean string =
        shown == Shown.TEXT
            || (tool && message.visuals().isEmpty() && template.capabilities().stringContent());
    entry.put(
        "content",
        string ? string(message, written) : parts(message, shown == Shown.VIDEOS_AS_TEXT, written));
    if (!message.reasoning().isEmpty()) {
      TracedText reasoning = TracedText.input(message.reasoning());
      entry.put("reasoning_content", reasoning);
      entry.put("thinking", reasoning); // what some call it
    }
    if (!message.toolCalls().isEmpty()) {
      entry.put("tool_calls", message.toolCalls().stream().map(this::call).toList());
    }
    if (!message.toolCallId().isEmpty()) {
      entry.put("tool_call_id", TracedText.input(message.toolCallId()));
    }
    if (!message.toolName().isEmpty()) {
      entry.put("name", TracedText.input(message.toolName()));
    }
    return entry;
  }

  private Map<String, @Nullable Object> call(ToolCall call) {
    boolean objects = template.capabilities().toolCallObjects();
    Map<String, @Nullable Object> function = new LinkedHashMap<>();
    function.put("name", TracedText.input(call.name()));
    function.put(
        "arguments",
        objects ? ContextJson.parseValue(call.arguments()) : TracedText.input(call.arguments()));
    Map<String, @Nullable Object> entry = new LinkedHashMap<>();
    entry.put("id", TracedText.input(call.id()));
    entry.put("type", TracedText.trusted("function"));
    entry.put("function", function);
    return entry;
  }

  private static List<Map<String, Object>> parts(
      Message message, boolean videosAsText, Function<Visual, String> written) {
    List<Map<String, Object>> parts = new ArrayList<>();
    for (Content content : message.content()) {
      parts.add(
          switch (content) {
            case Content.Text(String text) -> textPart(TracedText.input(text));
            case Content.Image image -> Map.of("type", TracedText.trusted("image"));
            case Content.Video video ->
                videosAsText
                    ? textPart(TracedText.image(written.apply(video.video())))
                    : Map.of("type", TracedText.trusted("video"));
          });
    }
    return parts;
  }

  private static Map<String, Object> textPart(TracedText text) {
    Map<String, Object> part = new LinkedHashMap<>();
    part.put("type", TracedText.trusted("text"));
    part.put("text", text);
    return part;
  }

  private static TracedText string(Message message, Function<Visual, String> written) {
    List<TracedText> pieces = new ArrayList<>();
    for (Content content : message.content()) {
      Visual visual = content.visual();
      if (visual != null) {
        pieces.add(TracedText.image(written.apply(visual)));
      } else if (content instanceof Content.Text(String text)) {
        pieces.add(TracedText.input(text));
      }
    }
    return TracedText.join(pieces);
  }
}
