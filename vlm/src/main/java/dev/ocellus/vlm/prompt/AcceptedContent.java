package dev.ocellus.vlm.prompt;

import dev.ocellus.vlm.chat.Content;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.chat.Role;
import dev.ocellus.vlm.template.ChatTemplate;
import dev.ocellus.vlm.template.TemplateException;
import dev.ocellus.vlm.template.text.TracedText;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Which contents a chat template shows in the messages of each role, found out by rendering a short
 * conversation with words that no template contains. Templates do not declare it, and many take
 * lists of parts from users only, or nothing but lists, or show only the first part.
 */
final class AcceptedContent {
  private static final List<String> WORDS = List.of("Wq7first", "Wq7second");

  /** What became of the words. */
  private enum Shown {
    /** They came out. */
    YES,
    /** They came out inside of a printed list. */
    PRINTED,
    /** The template left one out, or raised an error. */
    NO
  }

  /**
   * What is tried.
   *
   * @param calls whether an assistant's message also calls a tool
   * @param texts how many texts the list has; 0 for a string
   */
  private record Question(Role role, boolean calls, int texts) {
    static Question of(Message message, boolean parts) {
      long texts = message.content().stream().filter(Content.Text.class::isInstance).count();
      return new Question(
          message.role(),
          !message.toolCalls().isEmpty(),
          parts ? (int) Math.clamp(texts, 1, WORDS.size()) : 0);
    }
  }

  private final ChatTemplate template;
  private final Map<Question, Shown> answers = new ConcurrentHashMap<>();

  AcceptedContent(ChatTemplate template) {
    this.template = template;
  }

  /** Whether a string comes out in a message like this. */
  boolean strings(Message message) {
    return ask(Question.of(message, false)) == Shown.YES;
  }

  /** Whether a list comes out, if only printed as Python prints lists. */
  boolean lists(Message message) {
    return ask(Question.of(message, true)) != Shown.NO;
  }

  /** Whether the texts of a list come out without the list around them. */
  boolean parts(Message message) {
    return ask(Question.of(message, true)) == Shown.YES;
  }

  private Shown ask(Question question) {
    Shown known = answers.get(question);
    if (known == null) {
      known = find(question); // a race only asks twice
      answers.put(question, known);
    }
    return known;
  }

  private Shown find(Question question) {
    boolean userParts =
        question.role == Role.USER
            ? question.texts > 0
            : ask(new Question(Role.USER, false, 0)) != Shown.YES
                && ask(new Question(Role.USER, false, 1)) == Shown.YES;
    String out = null;
    for (boolean objects : new boolean[] {true, false}) {
      out = out == null ? render(conversation(question, userParts, objects)) : out;
    }
    if (out == null
        || !WORDS.subList(0, Math.max(1, question.texts)).stream().allMatch(out::contains)) {
      return Shown.NO;
    }
    boolean printed = question.texts > 0 && (out.contains("'text'") || out.contains("\"text\""));
    return printed ? Shown.PRINTED : Shown.YES;
  }

  private @Nullable String render(List<Map<String, @Nullable Object>> messages) {
    Map<String, @Nullable Object> context = new LinkedHashMap<>();
    context.put("messages", messages);
    context.put("tools", null);
    context.put("documents", null);
    context.put("add_generation_prompt", true);
    context.put("bos_token", TracedText.trusted(""));
    context.put("eos_token", TracedText.trusted(""));
    try {
      return template.render(context).text();
    } catch (TemplateException refused) {
      return null;
    }
  }

  /**
   * A conversation with the words in a message of the role.
   *
   * @param objects whether the arguments of a call are an object; else a string
   */
  private static List<Map<String, @Nullable Object>> conversation(
      Question question, boolean userParts, boolean objects) {
    List<Map<String, @Nullable Object>> messages = new ArrayList<>();
    Map<String, @Nullable Object> asked = message(question.role, WORDS, question.texts);
    Map<String, @Nullable Object> user = message(Role.USER, List.of("x"), userParts ? 1 : 0);
    switch (question.role) {
      case USER -> messages.add(asked);
      case SYSTEM, DEVELOPER -> {
        messages.add(asked);
        messages.add(user);
      }
      case ASSISTANT -> {
        messages.add(user);
        messages.add(question.calls ? calling(asked, objects) : asked);
        messages.add(question.calls ? result(message(Role.TOOL, List.of("x"), 0)) : user);
      }
      case TOOL -> {
        messages.add(user);
        messages.add(calling(message(Role.ASSISTANT, List.of(""), 0), objects));
        messages.add(result(asked));
      }
    }
    return messages;
  }

  private static Map<String, @Nullable Object> message(Role role, List<String> texts, int parts) {
    Map<String, @Nullable Object> message = new LinkedHashMap<>();
    message.put("role", TracedText.trusted(role.wireName()));
    List<Object> list = new ArrayList<>();
    for (String text : texts.subList(0, parts)) {
      list.add(ordered("type", "text", "text", text));
    }
    message.put("content", parts == 0 ? texts.getFirst() : list);
    return message;
  }

  private static Map<String, @Nullable Object> result(Map<String, @Nullable Object> message) {
    message.put("tool_call_id", "call00001");
    message.put("name", "x");
    return message;
  }

  private static Map<String, @Nullable Object> calling(
      Map<String, @Nullable Object> message, boolean objects) {
    Object arguments = objects ? ordered("x", "x") : "{\"x\": \"x\"}";
    message.put(
        "tool_calls",
        List.of(
            ordered(
                "id",
                "call00001",
                "type",
                "function",
                "function",
                ordered("name", "x", "arguments", arguments))));
    return message;
  }

  private static Map<String, Object> ordered(Object... keysAndValues) {
    Map<String, Object> map = new LinkedHashMap<>();
    for (int i = 0; i < keysAndValues.length; i += 2) {
      map.put((String) keysAndValues[i], keysAndValues[i + 1]);
    }
    return map;
  }
}
