package dev.ocellus.vlm.template;

import dev.ocellus.vlm.template.text.TracedText;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a chat template can do with a conversation, found out by rendering small ones: templates do
 * not declare it. A feature counts when its content comes out again and nothing is raised.
 *
 * @param stringContent message content may be a string
 * @param partsContent message content may be a list of parts, {@code [{type: text, text: …}]}
 * @param imagePlaceholder what the template writes for a part {@code {type: image}}, such as {@code
 *     <|vision_start|><|image_pad|><|vision_end|>}; empty when it has none for images
 * @param systemRole a system message is rendered
 * @param tools tool definitions are rendered
 * @param toolCallObjects calls in assistant messages are rendered, their arguments as an object
 * @param toolCallStrings likewise, their arguments as a string of JSON
 * @param toolResults results of tools, in messages of their own role, are rendered
 * @param thinkingSwitch {@code enable_thinking} makes a difference
 * @param reasoningContent {@code reasoning_content} of the last assistant message is rendered
 * @param generationPrompt {@code add_generation_prompt} makes a difference
 */
public record ChatTemplateCapabilities(
    boolean stringContent,
    boolean partsContent,
    String imagePlaceholder,
    boolean systemRole,
    boolean tools,
    boolean toolCallObjects,
    boolean toolCallStrings,
    boolean toolResults,
    boolean thinkingSwitch,
    boolean reasoningContent,
    boolean generationPrompt) {

  /** Whether the template writes something of its own where an image stands. */
  public boolean images() {
    return !imagePlaceholder.isEmpty();
  }

  static ChatTemplateCapabilities probe(ChatTemplate template) {
    return new Probe(template).run();
  }

  /** The conversations that are tried. */
  private static final class Probe {
    /** Words that no template contains. */
    private static final String USER = "Uq7user";

    private static final String SYSTEM = "Sq7system";
    private static final String SECOND = "Tq7second";
    private static final String TOOL = "tq7tool";
    private static final String ARGUMENT = "aq7argument";
    private static final String RESULT = "Rq7result";
    private static final String THOUGHT = "Hq7thought";

    private static final LocalDateTime NOON = LocalDateTime.of(2025, 1, 1, 12, 0);

    private final ChatTemplate template;
    private boolean parts;

    Probe(ChatTemplate template) {
      this.template = template;
    }

    ChatTemplateCapabilities run() {
      boolean strings = shows(USER, context(message("user", USER)));
      parts = true;
      boolean listed = shows(USER, context(message("user", USER))) && !printsTheList();
      String placeholder = listed ? placeholder() : "";
      parts = !strings && listed;
      boolean system = shows(SYSTEM, context(message("system", SYSTEM), message("user", USER)));
      String plain = render(context(message("user", USER)));
      return new ChatTemplateCapabilities(
          strings,
          listed,
          placeholder,
          system,
          shows(TOOL, with(context(message("user", USER)), "tools", List.of(tool()))),
          calls(Map.of(ARGUMENT, ARGUMENT)),
          calls("{\"" + ARGUMENT + "\": \"" + ARGUMENT + "\"}"),
          shows(RESULT, conversationWithCall(Map.of(ARGUMENT, ARGUMENT)))
              || shows(RESULT, conversationWithCall("{}")),
          differs("enable_thinking"),
          shows(THOUGHT, context(message("user", USER), thinking())),
          plain != null
              && !plain.equals(
                  render(with(context(message("user", USER)), "add_generation_prompt", false))));
    }

    private boolean printsTheList() {
      String out = render(context(message("user", USER)));
      return out == null || out.contains("'type'") || out.contains("\"type\"");
    }

    private String placeholder() {
      Object text = part(USER);
      Object second = part(SECOND);
      Map<String, Object> user = new LinkedHashMap<>(message("user", USER));
      user.put("content", List.of(text, second));
      String without = render(context(user));
      user = new LinkedHashMap<>(user);
      user.put("content", List.of(text, Map.of("type", "image"), second));
      String with = render(context(user));
      if (without == null || with == null || with.length() <= without.length()) {
        return "";
      }
      int from = with.indexOf(USER) + USER.length();
      int to = with.indexOf(SECOND);
      int joint = without.indexOf(SECOND) - without.indexOf(USER) - USER.length();
      if (from < USER.length() || to < from || joint < 0 || to - from <= joint) {
        return placeholderElsewhere(without, with);
      }
      return with.substring(from, to - joint);
    }

    /** Some templates put all images before the text. */
    private static String placeholderElsewhere(String without, String with) {
      int start = 0;
      while (start < without.length() && without.charAt(start) == with.charAt(start)) {
        start++;
      }
      int extra = with.length() - without.length();
      boolean inserted = with.endsWith(without.substring(start));
      return inserted ? with.substring(start, start + extra) : "";
    }

    private boolean calls(Object arguments) {
      Map<String, Object> context = conversationWithCall(arguments);
      String out = render(context);
      return out != null
          && out.contains(TOOL)
          && out.contains(ARGUMENT)
          && !out.contains("\\\"" + ARGUMENT);
    }

    private Map<String, Object> conversationWithCall(Object arguments) {
      Map<String, Object> call =
          Map.of(
              "id", "call00001",
              "type", "function",
              "function", ordered("name", TOOL, "arguments", arguments));
      Map<String, Object> assistant = new LinkedHashMap<>(message("assistant", ""));
      assistant.put("tool_calls", List.of(call));
      Map<String, Object> result = new LinkedHashMap<>(message("tool", RESULT));
      result.put("tool_call_id", "call00001");
      result.put("name", TOOL);
      return with(context(message("user", USER), assistant, result), "tools", List.of(tool()));
    }

    private Map<String, Object> thinking() {
      Map<String, Object> assistant = new LinkedHashMap<>(message("assistant", SECOND));
      assistant.put("reasoning_content", THOUGHT);
      return assistant;
    }

    private boolean differs(String variable) {
      String on = render(with(context(message("user", USER)), variable, true));
      String off = render(with(context(message("user", USER)), variable, false));
      return on != null && off != null && !on.equals(off);
    }

    private static Object tool() {
      return ordered(
          "type",
          "function",
          "function",
          ordered(
              "name",
              TOOL,
              "description",
              "x",
              "parameters",
              ordered(
                  "type",
                  "object",
                  "properties",
                  ordered(ARGUMENT, ordered("type", "string", "description", "x")),
                  "required",
                  List.of(ARGUMENT))));
    }

    private static Map<String, Object> ordered(Object... keysAndValues) {
      Map<String, Object> out = new LinkedHashMap<>();
      for (int i = 0; i < keysAndValues.length; i += 2) {
        out.put((String) keysAndValues[i], keysAndValues[i + 1]);
      }
      return out;
    }

    private Map<String, Object> message(String role, String content) {
      return ordered("role", role, "content", parts ? List.of(part(content)) : content);
    }

    private static Object part(String text) {
      return ordered("type", "text", "text", text);
    }

    @SafeVarargs
    @SuppressWarnings("varargs") // List.of copies them
    private static Map<String, Object> context(Map<String, Object>... messages) {
      Map<String, Object> out = new LinkedHashMap<>();
      List<Object> all = new ArrayList<>(List.of(messages));
      out.put("messages", all);
      out.put("add_generation_prompt", true);
      out.put("bos_token", TracedText.trusted(""));
      out.put("eos_token", TracedText.trusted(""));
      return out;
    }

    private static Map<String, Object> with(
        Map<String, Object> context, String name, Object value) {
      context.put(name, value);
      return context;
    }

    private boolean shows(String wanted, Map<String, Object> context) {
      String out = render(context);
      return out != null && out.contains(wanted);
    }

    private @Nullable String render(Map<String, Object> context) {
      Map<String, @Nullable Object> all = new LinkedHashMap<>(context);
      all.putIfAbsent("tools", null);
      all.putIfAbsent("documents", null);
      try {
        return template.render(all, NOON).text();
      } catch (TemplateException refused) {
        return null;
      }
    }
  }
}
