package dev.ocellus.langchain4j;

import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.internal.Json;
import dev.langchain4j.internal.JsonSchemaElementUtils;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.request.ResponseFormat;
import dev.langchain4j.model.chat.request.ResponseFormatType;
import dev.langchain4j.model.chat.request.json.JsonRawSchema;
import dev.langchain4j.model.chat.request.json.JsonSchema;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.PromptOptions;
import dev.ocellus.vlm.chat.Tool;
import dev.ocellus.vlm.chat.ToolChoice;
import dev.ocellus.vlm.sampling.SamplingOptions;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What the parameters of a request mean for an answer. */
final class RequestOptions {
  private static final String ANY_OBJECT = "{\"type\":\"object\"}";

  private RequestOptions() {}

  /**
   * The options of an answer.
   *
   * @param defaults the model's own, for what the request does not say
   * @throws UnsupportedFeatureException if it asks for what cannot be done
   */
  static GenerationOptions of(ChatRequestParameters asked, GenerationOptions defaults) {
    List<ToolSpecification> tools = asked.toolSpecifications();
    GenerationOptions options =
        defaults
            .withSampling(sampling(asked, defaults.sampling()))
            .withStop(asked.stopSequences())
            .withPrompt(prompt(asked, tools, defaults.prompt()));
    if (asked.maxOutputTokens() != null) {
      options = options.withMaxTokens(asked.maxOutputTokens());
    }
    String schema = schema(asked.responseFormat());
    if (schema == null) {
      return options;
    }
    if (!tools.isEmpty()) {
      throw new UnsupportedFeatureException(
          "Tools and a JSON response format in one request are not supported: the format would forbid the calls");
    }
    return options.withJsonSchema(schema);
  }

  private static SamplingOptions sampling(ChatRequestParameters asked, SamplingOptions defaults) {
    var sampling = defaults.toBuilder();
    if (asked.temperature() != null) {
      sampling.temperature(asked.temperature().floatValue());
    }
    if (asked.topP() != null) {
      sampling.topP(asked.topP().floatValue());
    }
    if (asked.topK() != null) {
      sampling.topK(asked.topK());
    }
    if (asked.frequencyPenalty() != null) {
      sampling.frequencyPenalty(asked.frequencyPenalty().floatValue());
    }
    if (asked.presencePenalty() != null) {
      sampling.presencePenalty(asked.presencePenalty().floatValue());
    }
    if (asked instanceof OcellusChatRequestParameters ours && ours.seed() != null) {
      sampling.seed(ours.seed());
    }
    return sampling.build();
  }

  private static PromptOptions prompt(
      ChatRequestParameters asked, List<ToolSpecification> tools, PromptOptions defaults) {
    PromptOptions prompt =
        defaults
            .withContinueLast(false) // another assistant's message is a turn of its own here
            .withTools(tools.stream().map(RequestOptions::tool).toList());
    if (asked.toolChoice() != null) {
      prompt =
          prompt.withToolChoice(
              switch (asked.toolChoice()) {
                case AUTO -> ToolChoice.AUTO;
                case REQUIRED ->
                    tools.size() == 1
                        ? ToolChoice.named(tools.getFirst().name())
                        : ToolChoice.REQUIRED;
                case NONE -> ToolChoice.NONE;
              });
    }
    return asked instanceof OcellusChatRequestParameters ours && ours.thinking() != null
        ? prompt.withThinking(ours.thinking())
        : prompt;
  }

  private static Tool tool(ToolSpecification tool) {
    Map<String, Object> function = new LinkedHashMap<>();
    function.put("name", tool.name());
    if (tool.description() != null) {
      function.put("description", tool.description());
    }
    function.put(
        "parameters",
        tool.parameters() == null
            ? Map.of("type", "object", "properties", Map.of())
            : JsonSchemaElementUtils.toMap(tool.parameters()));
    if (Boolean.TRUE.equals(tool.strict())) {
      function.put("strict", true);
    }
    Map<String, Object> definition = new LinkedHashMap<>();
    definition.put("type", "function");
    definition.put("function", function);
    return new Tool(tool.name(), Json.toJson(definition));
  }

  private static @Nullable String schema(@Nullable ResponseFormat format) {
    if (format == null || format.type() != ResponseFormatType.JSON) {
      return null;
    }
    JsonSchema schema = format.jsonSchema();
    if (schema == null) {
      return ANY_OBJECT;
    }
    return schema.rootElement() instanceof JsonRawSchema raw
        ? raw.schema()
        : Json.toJson(JsonSchemaElementUtils.toMap(schema.rootElement()));
  }
}
