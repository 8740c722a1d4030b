package dev.ocellus.vlm.prompt;

import dev.ocellus.vlm.chat.Content;
import dev.ocellus.vlm.chat.ContentForm;
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
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Renders conversations with a chat template, which gets what {@code apply_chat_template} of
 * transformers would give it: a string where a message's content is a string, and a list where it
 * is a list.
 *
 * <p>Only where the template would then fail or leave out what the message says, it gets the other
 * form: a list where it takes nothing else from that role, or a string with the images written into
 * it where it knows no lists. In the same way a developer's message becomes the system's.
 */
public final class ChatFormat {
  private final ChatTemplate template;
  private final String bosToken;
  private final String eosToken;
  private final AnswerFormat answerFormat;
  private final AcceptedContent accepted;
  private final boolean knowsReasoningContent;
  private final @Nullable LocalDateTime now;

  /**
   * @param template source of the template
   * @param bosToken text of the beginning-of-sequence token, or empty
   * @param eosToken text of the end-of-sequence token, or empty
   * @throws TemplateException if the template cannot be compiled
   */
  public ChatFormat(String template, String bosToken, String eosToken) {
    this(template, bosToken, eosToken, null);
  }

  /**
   * @param now what the template is told of the time; null for the machine's clock
   */
  ChatFormat(String template, String bosToken, String eosToken, @Nullable LocalDateTime now) {
    this.template = ChatTemplate.compile(template);
    this.answerFormat = AnswerFormat.of(template);
    this.bosToken = bosToken;
    this.eosToken = eosToken;
    this.accepted = new AcceptedContent(this.template);
    this.knowsReasoningContent = template.contains("reasoning_content");
    this.now = now;
  }

  /** How the model writes reasoning and calls into its answers. */
  public AnswerFormat answerFormat() {
    return answerFormat;
  }

  /** How the images and videos of a message are given to the template. */
  public enum Shown {
    /** As parts of a list, where the template takes lists; else written into the text. */
    PARTS,
    /** Images as parts of their own, and videos as text, for templates that know images only. */
    VIDEOS_AS_TEXT,
    /** Written into the text of the message, for templates that leave parts with images out. */
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
    try {
      return new Rendering(shown, written, false).of(messages, options);
    } catch (TemplateException e) {
      try {
        return new Rendering(shown, written, true).of(messages, options);
      } catch (TemplateException again) {
        throw e;
      }
    }
  }

  /**
   * One try.
   *
   * @param plain whether contents without images are strings wherever strings are known, after the
   *     template has failed on what they are: missing ones are empty
   */
  private final class Rendering {
    private final Shown shown;
    private final Function<Visual, String> written;
    private final boolean plain;

    Rendering(Shown shown, Function<Visual, String> written, boolean plain) {
      this.shown = shown;
      this.written = written;
      this.plain = plain;
    }

    Rendered of(List<Message> messages, PromptOptions options) {
      List<Map<String, @Nullable Object>> list = new ArrayList<>();
      messages.forEach(message -> list.add(entry(known(message))));
      List<Tool> tools = options.tools();
      Map<String, @Nullable Object> context = new LinkedHashMap<>();
      context.put("tools", null);
      context.put("documents", null);
      context.putAll(options.templateArguments());
      context.put("messages", list);
      context.put("add_generation_prompt", true);
      context.put("bos_token", TracedText.trusted(bosToken));
      context.put("eos_token", TracedText.trusted(eosToken));
      if (!tools.isEmpty()) {
        context.put(
            "tools", tools.stream().map(t -> ContextJson.parseValue(t.definition())).toList());
      }
      Rendered rendered = now == null ? template.render(context) : template.render(context, now);
      if (tools.stream().anyMatch(tool -> !rendered.text().contains(tool.name()))) {
        throw new PromptException(
            "The model's chat template does not show tools to the model. Use another template, or no tools.");
      }
      return rendered;
    }

    /** A developer's message is the system's for templates that refuse it or leave it out. */
    private Message known(Message message) {
      boolean unknown =
          message.role() == Role.DEVELOPER
              && !accepted.strings(message)
              && !accepted.lists(message);
      return unknown ? message.withRole(Role.SYSTEM) : message;
    }

    private Map<String, @Nullable Object> entry(Message message) {
      Map<String, @Nullable Object> entry = new LinkedHashMap<>();
      entry.put("role", TracedText.trusted(message.role().wireName()));
      if (message.form() != ContentForm.ABSENT || plain) {
        entry.put("content", content(message));
      }
      if (!message.reasoning().isEmpty()) {
        TracedText reasoning = TracedText.input(message.reasoning());
        entry.put("reasoning_content", reasoning);
        if (!knowsReasoningContent) { // what others call it
          entry.put("reasoning", reasoning);
          entry.put("thinking", reasoning);
        }
      }
      if (!message.toolCalls().isEmpty()) {
        entry.put("tool_calls", message.toolCalls().stream().map(ChatFormat.this::call).toList());
      }
      if (!message.toolCallId().isEmpty()) {
        entry.put("tool_call_id", TracedText.input(message.toolCallId()));
      }
      if (!message.toolName().isEmpty()) {
        entry.put("name", TracedText.input(message.toolName()));
      }
      return entry;
    }

    private @Nullable Object content(Message message) {
      boolean strings = accepted.strings(message);
      return switch (message.form()) {
        case NULL, ABSENT -> plain ? TracedText.input("") : null;
        case STRING -> {
          boolean asGiven = message.text().isEmpty() && !plain; // there is nothing to lose
          yield asGiven || strings || !accepted.parts(message)
              ? string(message, written)
              : parts(message, false, written);
        }
        case PARTS -> {
          boolean list =
              !message.visuals().isEmpty()
                  ? shown != Shown.TEXT && accepted.parts(message)
                  : plain
                      ? !strings && accepted.parts(message)
                      : !strings || accepted.lists(message);
          yield list
              ? parts(message, shown == Shown.VIDEOS_AS_TEXT, written)
              : string(message, written);
        }
      };
    }
  }

  private Map<String, @Nullable Object> call(ToolCall call) {
    boolean objects = template.capabilities().toolCallObjects();
    Map<String, @Nullable Object> function = new LinkedHashMap<>();
    function.put("name", TracedText.input(call.name()));
    function.put(
        "arguments",
        objects ? ContextJson.parseValue(call.arguments()) : TracedText.input(call.arguments()));
    Map<String, @Nullable Object> entry = new LinkedHashMap<>();
    if (!call.id().isEmpty()) {
      entry.put("id", TracedText.input(call.id()));
    }
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
