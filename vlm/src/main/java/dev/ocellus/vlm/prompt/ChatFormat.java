package dev.ocellus.vlm.prompt;

import dev.ocellus.vlm.Content;
import dev.ocellus.vlm.Message;
import dev.ocellus.vlm.PromptOptions;
import dev.ocellus.vlm.Role;
import dev.ocellus.vlm.template.ChatTemplate;
import dev.ocellus.vlm.template.ContextJson;
import dev.ocellus.vlm.template.Rendered;
import dev.ocellus.vlm.template.TemplateException;
import dev.ocellus.vlm.template.Text;
import dev.ocellus.vlm.tool.AnswerFormat;
import dev.ocellus.vlm.tool.Tool;
import dev.ocellus.vlm.tool.ToolCall;
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
  private final AnswerFormat answerFormat;
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
    this.answerFormat = AnswerFormat.of(template);
    this.imageMarker = imageMarker;
    this.bosToken = bosToken;
    this.eosToken = eosToken;
    this.takesParts = probe();
  }

  /** Whether a list of parts comes out as its text, and not as a printed list or not at all. */
  private boolean probe() {
    try {
      Message message = Message.of(Role.USER, PROBE);
      String text = render(List.of(message), PromptOptions.defaults(), true).text();
      return text.contains(PROBE) && !text.contains("'text'") && !text.contains("\"text\"");
    } catch (TemplateException e) {
      return false;
    }
  }

  /** How the model writes reasoning and calls into its answers. */
  public AnswerFormat answerFormat() {
    return answerFormat;
  }

  /**
   * Renders a conversation up to where the answer begins.
   *
   * @throws TemplateException if the template refuses it or fails
   * @throws PromptException if there are tools, and the template does not show them to the model
   */
  public Rendered render(List<Message> messages, PromptOptions options) {
    return render(messages, options, takesParts);
  }

  /** Renders with the pictures written into the text, for templates that leave them out. */
  public Rendered renderAsText(List<Message> messages, PromptOptions options) {
    return render(messages, options, false);
  }

  private Rendered render(List<Message> messages, PromptOptions options, boolean asParts) {
    List<Map<String, @Nullable Object>> list = new ArrayList<>();
    messages.forEach(message -> list.add(entry(message, asParts)));
    Map<String, @Nullable Object> context = new LinkedHashMap<>(options.templateArguments());
    context.put("messages", list);
    context.put("add_generation_prompt", true);
    context.put("bos_token", Text.trusted(bosToken));
    context.put("eos_token", Text.trusted(eosToken));
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

  private Map<String, @Nullable Object> entry(Message message, boolean asParts) {
    Map<String, @Nullable Object> entry = new LinkedHashMap<>();
    entry.put("role", Text.trusted(message.role().word()));
    // where a tool is involved, templates expect strings even if they take parts elsewhere
    boolean tool = message.role() == Role.TOOL || !message.toolCalls().isEmpty();
    boolean string = tool && message.images().isEmpty() && template.capabilities().stringContent();
    entry.put("content", asParts && !string ? parts(message) : string(message));
    if (!message.reasoning().isEmpty()) {
      Text reasoning = Text.input(message.reasoning());
      entry.put("reasoning_content", reasoning);
      entry.put("thinking", reasoning); // what some call it
    }
    if (!message.toolCalls().isEmpty()) {
      entry.put("tool_calls", message.toolCalls().stream().map(this::call).toList());
    }
    if (!message.toolCallId().isEmpty()) {
      entry.put("tool_call_id", Text.input(message.toolCallId()));
    }
    if (!message.toolName().isEmpty()) {
      entry.put("name", Text.input(message.toolName()));
    }
    return entry;
  }

  private Map<String, @Nullable Object> call(ToolCall call) {
    boolean objects = template.capabilities().toolCallObjects();
    Map<String, @Nullable Object> function = new LinkedHashMap<>();
    function.put("name", Text.input(call.name()));
    function.put(
        "arguments",
        objects ? ContextJson.parseValue(call.arguments()) : Text.input(call.arguments()));
    Map<String, @Nullable Object> entry = new LinkedHashMap<>();
    entry.put("id", Text.input(call.id()));
    entry.put("type", Text.trusted("function"));
    entry.put("function", function);
    return entry;
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
