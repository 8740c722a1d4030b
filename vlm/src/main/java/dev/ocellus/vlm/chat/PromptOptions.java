package dev.ocellus.vlm.chat;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a conversation is rendered with besides its messages.
 *
 * @param tools tools that the model may call
 * @param templateArguments variables for the chat template, such as {@code enable_thinking}:
 *     strings, numbers, booleans, null, lists and maps. Strings are input: they become no control
 *     tokens
 * @param continueLast whether a conversation that ends with an assistant's message is answered by
 *     going on with that message; otherwise a new one is begun
 * @param toolChoice whether the answer calls tools
 * @param constrainedCalls whether a call that has begun is constrained to an offered tool and to
 *     the schema of its arguments, where the notation of the model's calls has a grammar
 * @param controlTokens texts that count as control tokens in messages, too: for prompts that a
 *     program writes, never for what comes from others
 * @param plain whether the prompt is what the messages say, one behind the other, without a chat
 *     template; for going on with a text
 */
public record PromptOptions(
    List<Tool> tools,
    Map<String, @Nullable Object> templateArguments,
    boolean continueLast,
    ToolChoice toolChoice,
    boolean constrainedCalls,
    Set<String> controlTokens,
    boolean plain) {
  public PromptOptions {
    if (plain && !tools.isEmpty()) {
      throw new IllegalArgumentException(
          "tools are shown by a chat template, so there are none without one");
    }
    controlTokens = Set.copyOf(controlTokens);
    tools = List.copyOf(tools);
    templateArguments = Collections.unmodifiableMap(new LinkedHashMap<>(templateArguments));
    if (toolChoice.requiresCall() && !constrainedCalls) {
      throw new IllegalArgumentException(
          "a call that is required has to be constrained to a grammar; free calls go with the tool"
              + " choices auto and none only");
    }
  }

  /** Options with calls as the model wants, constrained to the tools' schemas. */
  public PromptOptions(
      List<Tool> tools, Map<String, @Nullable Object> templateArguments, boolean continueLast) {
    this(tools, templateArguments, continueLast, ToolChoice.AUTO, true, Set.of(), false);
  }

  /** No tools, no variables; an assistant's message at the end is continued. */
  public static PromptOptions defaults() {
    return new PromptOptions(List.of(), Map.of(), true);
  }

  /** A builder that begins with these options. */
  public PromptOptionsBuilder toBuilder() {
    return new PromptOptionsBuilder(this);
  }

  public PromptOptions withTools(List<Tool> tools) {
    return toBuilder().tools(tools).build();
  }

  public PromptOptions withToolChoice(ToolChoice toolChoice) {
    return toBuilder().toolChoice(toolChoice).build();
  }

  /** Whether tools are offered that may be called. */
  public boolean mayCall() {
    return !tools.isEmpty() && !(toolChoice instanceof ToolChoice.None);
  }

  public PromptOptions withConstrainedCalls(boolean constrainedCalls) {
    return toBuilder().constrainedCalls(constrainedCalls).build();
  }

  /** The same with one more variable. */
  public PromptOptions withTemplateArgument(String name, @Nullable Object value) {
    Map<String, @Nullable Object> more = new LinkedHashMap<>(templateArguments);
    more.put(name, value);
    return toBuilder().templateArguments(more).build();
  }

  /** Switches thinking on or off, for templates that know {@code enable_thinking}. */
  public PromptOptions withThinking(boolean enabled) {
    return withTemplateArgument("enable_thinking", enabled);
  }

  public PromptOptions withContinueLast(boolean continueLast) {
    return toBuilder().continueLast(continueLast).build();
  }

  /** The same with texts that count as control tokens in messages, too. */
  public PromptOptions withControlTokens(Set<String> controlTokens) {
    return toBuilder().controlTokens(controlTokens).build();
  }

  public PromptOptions withPlain(boolean plain) {
    return toBuilder().plain(plain).build();
  }

  /** The message that the answer continues, or null. */
  public @Nullable Message continued(List<Message> messages) {
    if (!continueLast || messages.isEmpty()) {
      return null;
    }
    Message last = messages.getLast();
    boolean answer = last.role() == Role.ASSISTANT && last.toolCalls().isEmpty();
    return answer && !last.text().isEmpty() && last.images().isEmpty() ? last : null;
  }
}
