package dev.ocellus.springai;

import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.PromptOptions;
import dev.ocellus.vlm.chat.Tool;
import dev.ocellus.vlm.chat.ToolChoice;
import dev.ocellus.vlm.sampling.SamplingOptions;
import java.util.List;
import org.springframework.ai.tool.definition.ToolDefinition;
import org.springframework.ai.util.JsonHelper;
import org.springframework.util.StringUtils;

/** What the options of a prompt mean for an answer. */
final class Requests {
  private static final JsonHelper JSON = new JsonHelper();
  private static final String NO_ARGUMENTS = "{\"type\":\"object\",\"properties\":{}}";

  private Requests() {}

  /**
   * The options of an answer.
   *
   * @param tools what the model may call
   * @param defaults the model's own, for what nobody says
   * @throws IllegalArgumentException if they contradict each other
   */
  static GenerationOptions options(
      OcellusChatOptions asked, List<ToolDefinition> tools, GenerationOptions defaults) {
    GenerationOptions options =
        defaults
            .withSampling(sampling(asked, defaults.sampling()))
            .withPrompt(prompt(asked, tools, defaults.prompt()));
    if (asked.getStopSequences() != null) {
      options = options.withStop(asked.getStopSequences());
    }
    if (asked.getMaxTokens() != null) {
      options = options.withMaxTokens(asked.getMaxTokens());
    }
    return constrained(options, asked, !tools.isEmpty());
  }

  private static GenerationOptions constrained(
      GenerationOptions options, OcellusChatOptions asked, boolean hasTools) {
    String schema = asked.getOutputSchema();
    String grammar = asked.getGrammar();
    if (schema != null && grammar != null) {
      throw new IllegalArgumentException(
          "An output schema and a grammar both say what the answer is; use one of them");
    }
    if (hasTools && (schema != null || grammar != null)) {
      throw new IllegalArgumentException(
          "Tools and an output schema or grammar in one prompt are not supported: the answer would keep to it, and could call nothing. Ask for the entity without native structured output, or in a prompt of its own");
    }
    if (schema != null) {
      return options.withJsonSchema(schema);
    }
    return grammar != null ? options.withGrammar(grammar) : options;
  }

  private static SamplingOptions sampling(OcellusChatOptions asked, SamplingOptions defaults) {
    var sampling = defaults.toBuilder();
    if (asked.getTemperature() != null) {
      sampling.temperature(asked.getTemperature().floatValue());
    }
    if (asked.getTopP() != null) {
      sampling.topP(asked.getTopP().floatValue());
    }
    if (asked.getTopK() != null) {
      sampling.topK(asked.getTopK());
    }
    if (asked.getMinP() != null) {
      sampling.minP(asked.getMinP().floatValue());
    }
    if (asked.getFrequencyPenalty() != null) {
      sampling.frequencyPenalty(asked.getFrequencyPenalty().floatValue());
    }
    if (asked.getPresencePenalty() != null) {
      sampling.presencePenalty(asked.getPresencePenalty().floatValue());
    }
    if (asked.getRepeatPenalty() != null) {
      sampling.repeatPenalty(asked.getRepeatPenalty().floatValue());
    }
    if (asked.getSeed() != null) {
      sampling.seed(asked.getSeed());
    }
    return sampling.build();
  }

  private static PromptOptions prompt(
      OcellusChatOptions asked, List<ToolDefinition> tools, PromptOptions defaults) {
    PromptOptions prompt =
        defaults
            .withContinueLast(false) // another assistant's message is a turn of its own here
            .withTools(tools.stream().map(Requests::tool).toList());
    if (asked.getToolChoice() != null) {
      prompt = prompt.withToolChoice(ToolChoice.parse(asked.getToolChoice()));
    }
    return asked.getThinking() == null ? prompt : prompt.withThinking(asked.getThinking());
  }

  /**
   * The schema stays as it was given, in its own order, as prompts are to be the same each time.
   */
  private static Tool tool(ToolDefinition tool) {
    String schema = StringUtils.hasText(tool.inputSchema()) ? tool.inputSchema() : NO_ARGUMENTS;
    String definition =
        "{\"type\":\"function\",\"function\":{\"name\":%s,\"description\":%s,\"parameters\":%s}}"
            .formatted(JSON.toJson(tool.name()), JSON.toJson(tool.description()), schema);
    return Tool.parseList("[" + definition + "]").getFirst();
  }
}
