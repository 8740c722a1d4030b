package dev.ocellus.vlm.tool;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Reads a block of calls in the notations that models use. */
final class ToolCallParser {
  private static final Pattern FUNCTION =
      Pattern.compile("<function=([^>]+)>(.*?)</function>", Pattern.DOTALL);
  private static final Pattern PARAMETER =
      Pattern.compile("<parameter=([^>]+)>(.*?)</parameter>", Pattern.DOTALL);
  private static final Pattern INVOKE =
      Pattern.compile(
          "<(?:｜DSML｜)?invoke name=\"([^\"]+)\">(.*?)</(?:｜DSML｜)?invoke>", Pattern.DOTALL);
  private static final Pattern NAMED_PARAMETER =
      Pattern.compile(
          "<(?:｜DSML｜)?parameter name=\"([^\"]+)\"(?: string=\"(true|false)\")?>(.*?)</(?:｜DSML｜)?parameter>",
          Pattern.DOTALL);
  private static final Pattern KEY_AND_VALUE =
      Pattern.compile("<arg_key>(.*?)</arg_key>\\s*<arg_value>(.*?)</arg_value>", Pattern.DOTALL);
  private static final Pattern DEEPSEEK =
      Pattern.compile(
          "<｜tool▁call▁begin｜>(?:function<｜tool▁sep｜>([^\\n]+)\\n```json\\n(.*?)\\n```|(.*?)<｜tool▁sep｜>(.*?))<｜tool▁call▁end｜>",
          Pattern.DOTALL);
  private static final Pattern KIMI =
      Pattern.compile(
          "<\\|tool_call_begin\\|>\\s*(?:functions\\.)?(.*?)(:\\d+)?\\s*<\\|tool_call_argument_begin\\|>(.*?)<\\|tool_call_end\\|>",
          Pattern.DOTALL);
  private static final Pattern MISTRAL =
      Pattern.compile(
          "\\[TOOL_CALLS\\]\\s*([\\w.:-]+)(?:\\[CALL_ID\\]([^\\[]*))?\\s*(?:\\[ARGS\\])?\\s*(\\{.*?)(?=\\[TOOL_CALLS\\]|$)",
          Pattern.DOTALL);
  private static final Pattern FENCED = Pattern.compile("```json\\s*(.*?)```", Pattern.DOTALL);
  private static final Pattern NAME = Pattern.compile("[\\w.:-]+");
  private static final List<String> MARKERS =
      List.of(
          "<｜tool▁call▁begin｜>",
          "<｜tool▁sep｜>",
          "<｜tool▁call▁end｜>",
          "<|tool_call_begin|>",
          "<|tool_call_argument_begin|>",
          "<|tool_call_end|>",
          "[ARGS]",
          "[CALL_ID]",
          "<|\"|>",
          "<arg_key>",
          "</arg_key>",
          "<arg_value>",
          "</arg_value>");

  private final Map<String, Tool> tools;

  ToolCallParser(List<Tool> tools) {
    this.tools =
        tools.stream().collect(Collectors.toMap(Tool::name, Function.identity(), (a, b) -> a));
  }

  static boolean isMarker(String controlToken) {
    return MARKERS.contains(controlToken);
  }

  /** A call whose name stands elsewhere; none if the arguments are no JSON object. */
  List<ToolCall> parseArguments(String name, String arguments) {
    JsonNode node = read(arguments.isBlank() ? "{}" : arguments);
    return node != null && node.isObject()
        ? List.of(new ToolCall("", name, node.toString()))
        : List.of();
  }

  /**
   * The calls of a block; none if any of it cannot be read.
   *
   * @param text the block with the marker in front of it
   */
  List<ToolCall> parse(String text, String marker) {
    String body = text.substring(marker.length()).strip();
    try {
      if (text.startsWith("<function=")) {
        return functions(text + "</function>");
      }
      if (body.contains("<function=")) {
        return functions(body);
      }
      if (INVOKE.matcher(body).find()) {
        return invokes(body);
      }
      if (body.contains("<arg_key>")) {
        return keysAndValues(body);
      }
      if (body.contains("<｜tool▁sep｜>")) {
        return all(
            DEEPSEEK,
            text,
            m ->
                m.group(1) != null
                    ? call("", m.group(1), m.group(2))
                    : call("", m.group(3), m.group(4)));
      }
      if (body.contains("<|tool_call_argument_begin|>")) {
        return all(
            KIMI,
            text,
            m ->
                call(
                    "functions." + m.group(1) + (m.group(2) == null ? "" : m.group(2)),
                    m.group(1),
                    m.group(3)));
      }
      if (marker.equals("[TOOL_CALLS]") && !body.startsWith("[") && !body.startsWith("{")) {
        return all(
            MISTRAL,
            text,
            m -> call(m.group(2) == null ? "" : m.group(2).strip(), m.group(1), m.group(3)));
      }
      if (marker.equals("Action:")) {
        Matcher fenced = FENCED.matcher(body);
        return fenced.find() ? json(fenced.group(1)) : List.of();
      }
      if (body.startsWith("call:")) {
        return new PythonCalls(body, true).parse();
      }
      List<ToolCall> calls = json(body);
      if (!calls.isEmpty() || marker.isEmpty()) {
        return calls;
      }
      return new PythonCalls(body, false)
          .parse().stream().map(ToolCallParser::withoutCallSuffix).toList();
    } catch (IllegalArgumentException notACall) {
      return List.of();
    }
  }

  /** Llama 3 calls built-in tools as {@code weather.call(…)}. */
  private static ToolCall withoutCallSuffix(ToolCall call) {
    return call.name().endsWith(".call")
        ? new ToolCall(
            call.id(), call.name().substring(0, call.name().length() - 5), call.arguments())
        : call;
  }

  static @Nullable JsonNode read(String json) {
    try {
      return Tool.MAPPER.readTree(json);
    } catch (JsonProcessingException e) {
      return null;
    }
  }

  private static ToolCall call(String id, String name, String arguments) {
    JsonNode node = read(arguments.isBlank() ? "{}" : arguments);
    if (node == null || !node.isObject() || !NAME.matcher(name.strip()).matches()) {
      throw new IllegalArgumentException("not a call");
    }
    return new ToolCall(id, name.strip(), node.toString());
  }

  private static List<ToolCall> all(
      Pattern pattern, String text, Function<Matcher, ToolCall> reader) {
    List<ToolCall> calls = new ArrayList<>();
    Matcher matcher = pattern.matcher(text);
    while (matcher.find()) {
      calls.add(reader.apply(matcher));
    }
    return calls;
  }

  /** Objects with name and arguments: one, a list, or one after the other. */
  private static List<ToolCall> json(String body) {
    List<ToolCall> calls = new ArrayList<>();
    if (!body.startsWith("{") && !body.startsWith("[")) {
      return calls;
    }
    try (MappingIterator<JsonNode> values =
        Tool.MAPPER.readerFor(JsonNode.class).readValues(body)) {
      while (values.hasNextValue()) {
        JsonNode value = values.nextValue();
        for (JsonNode item : value.isArray() ? value : List.of(value)) {
          ToolCall call = ofObject(item);
          if (call == null) {
            return List.of();
          }
          calls.add(call);
        }
      }
    } catch (IOException e) {
      return List.of();
    }
    return calls;
  }

  private static @Nullable ToolCall ofObject(JsonNode item) {
    JsonNode function = item.path("function").isObject() ? item.path("function") : item;
    JsonNode name = first(function, "name", "tool_name", "function");
    JsonNode arguments = first(function, "arguments", "parameters", "args", "input");
    if (name == null
        && item.size() == 1
        && item.properties().iterator().next().getValue().isObject()) {
      Map.Entry<String, JsonNode> only = item.properties().iterator().next();
      return new ToolCall("", only.getKey(), only.getValue().toString());
    }
    if (arguments != null && arguments.isTextual()) {
      arguments = read(arguments.asText());
    }
    if (name == null || !name.isTextual() || name.asText().isEmpty()) {
      return null;
    }
    if (arguments != null && !arguments.isObject()) {
      return null;
    }
    JsonNode id = first(item, "id", "tool_call_id");
    return new ToolCall(
        id == null ? "" : id.asText(),
        name.asText(),
        arguments == null ? "{}" : arguments.toString());
  }

  private static @Nullable JsonNode first(JsonNode node, String... keys) {
    for (String key : keys) {
      if (node.hasNonNull(key)) {
        return node.get(key);
      }
    }
    return null;
  }

  private List<ToolCall> functions(String body) {
    return all(
        FUNCTION,
        body,
        m -> {
          String name = m.group(1).strip();
          String inner = m.group(2);
          if (inner.strip().startsWith("{")) {
            return call("", name, inner);
          }
          ObjectNode arguments = Tool.MAPPER.createObjectNode();
          Matcher parameter = PARAMETER.matcher(inner);
          while (parameter.find()) {
            put(
                name,
                arguments,
                parameter.group(1).strip(),
                withoutLineEnds(parameter.group(2)),
                null);
          }
          return new ToolCall("", name, arguments.toString());
        });
  }

  private List<ToolCall> invokes(String body) {
    return all(
        INVOKE,
        body,
        m -> {
          ObjectNode arguments = Tool.MAPPER.createObjectNode();
          Matcher parameter = NAMED_PARAMETER.matcher(m.group(2));
          while (parameter.find()) {
            Boolean text = parameter.group(2) == null ? null : parameter.group(2).equals("true");
            put(m.group(1), arguments, parameter.group(1), parameter.group(3), text);
          }
          return new ToolCall("", m.group(1), arguments.toString());
        });
  }

  private List<ToolCall> keysAndValues(String body) {
    String name = body.substring(0, body.indexOf("<arg_key>")).strip();
    if (!NAME.matcher(name).matches()) {
      return List.of();
    }
    ObjectNode arguments = Tool.MAPPER.createObjectNode();
    Matcher pair = KEY_AND_VALUE.matcher(body);
    while (pair.find()) {
      put(name, arguments, pair.group(1).strip(), pair.group(2), null);
    }
    return List.of(new ToolCall("", name, arguments.toString()));
  }

  private static String withoutLineEnds(String value) {
    int start = value.startsWith("\n") ? 1 : 0;
    int end = value.endsWith("\n") && value.length() > start ? value.length() - 1 : value.length();
    return value.substring(start, end);
  }

  /** Adds an argument: text where the tool or the model says so, else JSON where it is valid. */
  private void put(String tool, ObjectNode to, String key, String value, @Nullable Boolean isText) {
    Tool known = tools.get(tool);
    boolean text = isText != null ? isText : known != null && known.isText(key);
    JsonNode node = text ? null : read(value);
    to.set(key, node == null || node.isMissingNode() ? TextNode.valueOf(value) : node);
  }
}
