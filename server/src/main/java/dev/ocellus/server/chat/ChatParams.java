package dev.ocellus.server.chat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import dev.ocellus.server.api.ApiException;
import dev.ocellus.server.api.Params;
import dev.ocellus.server.options.RequestLimits;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.GenerationOptionsBuilder;
import dev.ocellus.vlm.chat.OutputConstraint;
import dev.ocellus.vlm.chat.PromptOptions;
import dev.ocellus.vlm.chat.PromptOptionsBuilder;
import dev.ocellus.vlm.chat.Tool;
import dev.ocellus.vlm.chat.ToolChoice;
import dev.ocellus.vlm.python.PythonJson;
import dev.ocellus.vlm.sampling.SamplingOptions;
import dev.ocellus.vlm.sampling.SamplingOptionsBuilder;
import dev.ocellus.vlm.template.ContextJson;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Collects what a request says about its answer, over what the model does where nobody says
 * otherwise.
 */
public final class ChatParams {
  private static final int MAX_STOPS = 16;
  private static final int MAX_STOP_LENGTH = 1000;

  private final RequestLimits limits;
  private final GenerationOptions defaults;
  private final SamplingOptionsBuilder sampling;
  private final SamplingParams chosen;
  private final PromptOptionsBuilder prompt = PromptOptions.defaults().toBuilder();
  private final Map<String, @Nullable Object> templateArguments = new LinkedHashMap<>();
  private List<String> stop = List.of();
  private List<Tool> tools = List.of();
  private OutputConstraint constraint = OutputConstraint.NONE;
  private int maxTokens = -1;
  private int logProbs = -1;
  private boolean ignoreEos;
  private boolean requiresCall;
  private long seed = -1;

  /**
   * @param defaults of the model
   */
  public ChatParams(RequestLimits limits, GenerationOptions defaults) {
    this.limits = limits;
    this.defaults = defaults;
    this.sampling = defaults.sampling().toBuilder();
    this.chosen = new SamplingParams(sampling);
    this.maxTokens = defaults.maxTokens();
  }

  /** Reads how tokens are chosen: OpenAI's names, and llama-server's for the rest. */
  public ChatParams sampling(Params p) {
    chosen.read(p);
    p.whole("seed", Long.MIN_VALUE, Long.MAX_VALUE)
        .ifPresent(v -> seed = v == -1 ? -1 : v & Long.MAX_VALUE); // -1: any, as llama-server
    return this;
  }

  /** Reads what is added to the logits of tokens. */
  public ChatParams logitBias(Params p, int nTokens) {
    chosen.logitBias(p, nTokens);
    return this;
  }

  /** Most tokens of the answer; nothing or -1 for as many as there is room for. */
  public ChatParams maxTokens(OptionalInt max) {
    if (max.isPresent()) {
      maxTokens = max.getAsInt();
    }
    return this;
  }

  /** Strings at which the answer ends. */
  public ChatParams stop(Params p, String key) {
    stop = p.texts(key, MAX_STOPS);
    if (stop.stream().anyMatch(text -> text.isEmpty() || text.length() > MAX_STOP_LENGTH)) {
      throw ApiException.invalid(
          p.name(key),
          "%s: expected strings of 1 to %d characters".formatted(p.name(key), MAX_STOP_LENGTH));
    }
    return this;
  }

  /** Log probabilities of this many likely tokens; -1 for none. */
  public ChatParams logProbs(int n) {
    logProbs = n;
    return this;
  }

  /** Tools, in OpenAI's form. */
  public ChatParams tools(ArrayNode definitions) {
    tools = Tool.parseList(PythonJson.write(definitions));
    return this;
  }

  public List<Tool> tools() {
    return tools;
  }

  /** Whether tools are called. */
  public ChatParams toolChoice(ToolChoice choice) {
    if (choice.requiresCall() && tools.isEmpty()) {
      throw ApiException.invalid(
          "tool_choice", "tool_choice: a call is required, and there are no tools");
    }
    if (choice instanceof ToolChoice.Named(String name)
        && tools.stream().noneMatch(tool -> tool.name().equals(name))) {
      throw ApiException.invalid(
          "tool_choice", "tool_choice: there is no tool named '%s'".formatted(name));
    }
    prompt.toolChoice(choice);
    requiresCall = choice.requiresCall();
    return this;
  }

  /** An answer in JSON that a schema allows. */
  public ChatParams schema(JsonNode schema) {
    constraint = new OutputConstraint.JsonSchema(PythonJson.write(schema));
    return this;
  }

  /** An answer that is any JSON object. */
  public ChatParams anyJson() {
    constraint = new OutputConstraint.JsonSchema("{\"type\":\"object\"}");
    return this;
  }

  /** An answer that a grammar in GBNF matches. */
  public ChatParams grammar(String gbnf) {
    constraint = new OutputConstraint.Gbnf(gbnf);
    return this;
  }

  /** Whether the answer goes on where the model would end it. */
  public ChatParams ignoreEos(boolean on) {
    ignoreEos = on;
    return this;
  }

  /** Variables of the chat template, as llama-server takes them. */
  public ChatParams templateArguments(Params p) {
    p.object("chat_template_kwargs")
        .ifPresent(arguments -> {
          if (ContextJson.parseValue(PythonJson.write(arguments.node())) instanceof Map<?, ?> map) {
            map.forEach((name, value) -> templateArguments.put(String.valueOf(name), value));
          }
        });
    return this;
  }

  /** How much a model thinks: OpenAI's words, of which {@code none} switches it off. */
  public ChatParams effort(String effort) {
    if (effort.equals("none")) {
      templateArguments.put("enable_thinking", false);
    } else {
      templateArguments.put("enable_thinking", true);
      templateArguments.put("reasoning_effort", effort);
    }
    return this;
  }

  /** Whether a model thinks. */
  public ChatParams thinking(boolean on) {
    templateArguments.put("enable_thinking", on);
    return this;
  }

  /** A prompt that is what the messages say. */
  public ChatParams plain() {
    prompt.plain(true).continueLast(false);
    return this;
  }

  /** What the conversation is rendered with. */
  public PromptOptions promptOptions() {
    return prompt.tools(tools).templateArguments(templateArguments).build();
  }

  /**
   * The options of each of several answers, whose seeds follow each other.
   *
   * @param n how many
   */
  public List<GenerationOptions> options(int n) {
    GenerationOptions first = options();
    return IntStream.range(0, n)
        .mapToObj(i -> i == 0 || seed < 0 ? first : first.withSampling(seeded(first, i)))
        .toList();
  }

  private SamplingOptions seeded(GenerationOptions first, int i) {
    return first.sampling().toBuilder().seed((seed + i) & 0xffffffffL).build();
  }

  /** The options of an answer. */
  public GenerationOptions options() {
    // a call has arguments of its own, and what the answer would be has to wait for another turn
    OutputConstraint wanted = requiresCall ? OutputConstraint.NONE : constraint;
    boolean free =
        tools.isEmpty() && logProbs < 0 && !ignoreEos && wanted instanceof OutputConstraint.None;
    GenerationOptionsBuilder builder = defaults.toBuilder().prompt(promptOptions());
    return builder
        .beams(free && !chosen.found() ? defaults.beams() : null)
        .sampling(seed < 0 ? sampling.build() : sampling.seed(seed & 0xffffffffL).build())
        .maxTokens(boundedTokens())
        .stop(stop)
        .constraint(wanted)
        .logProbs(logProbs)
        .ignoreEos(ignoreEos)
        .build();
  }

  private int boundedTokens() {
    if (limits.maxTokens() < 0) {
      return maxTokens;
    }
    return maxTokens < 0 ? limits.maxTokens() : Math.min(maxTokens, limits.maxTokens());
  }
}
