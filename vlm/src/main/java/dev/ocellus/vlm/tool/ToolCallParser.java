package dev.ocellus.vlm.tool;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MappingIterator;
import dev.ocellus.vlm.chat.Tool;
import dev.ocellus.vlm.chat.ToolCall;
import dev.ocellus.vlm.python.PythonJson;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Reads a block of calls in the notations that models use. */
final class ToolCallParser {
  private static final Pattern DEEPSEEK =
      Pattern.compile(
          "<｜tool▁call▁begin｜>(?:function<｜tool▁sep｜>([^\\n]+)\\n```json\\n|(.*?)<｜tool▁sep｜>)",
          Pattern.DOTALL);
  private static final Pattern KIMI =
      Pattern.compile(
          "<\\|tool_call_begin\\|>\\s*(?:functions\\.)?(.*?)(:\\d+)?\\s*<\\|tool_call_argument_begin\\|>",
          Pattern.DOTALL);
  private static final Pattern MISTRAL =
      Pattern.compile(
          "\\[TOOL_CALLS\\]\\s*([\\w.:-]+)(?:\\[CALL_ID\\]([^\\[{]*))?\\s*(?:\\[ARGS\\])?(?=\\s*\\{)");
  private static final Pattern FENCED = Pattern.compile("```json\\s*(.*?)```", Pattern.DOTALL);
  static final Pattern NAME = Pattern.compile("[\\w.:-]+");
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
  private boolean endsInside;

  ToolCallParser(List<Tool> tools) {
    this.tools =
        tools.stream().collect(Collectors.toMap(Tool::name, Function.identity(), (a, b) -> a));
  }

  /**
   * Whether the block that was parsed last ended inside of a value, so that a marker there may be a
   * part of it.
   */
  boolean endsInside() {
    return endsInside;
  }

  static boolean isMarker(String controlToken) {
    return MARKERS.contains(controlToken);
  }

  /** A call whose name stands elsewhere; none if the arguments are no JSON object. */
  List<ToolCall> parseArguments(String name, String arguments) {
    endsInside = JsonSpan.endsInString(arguments);
    JsonNode node = read(arguments.isBlank() ? "{}" : arguments);
    return node != null && node.isObject()
        ? List.of(new ToolCall("", name, PythonJson.write(node)))
        : List.of();
  }

  /**
   * The calls of a block; none if any of it cannot be read.
   *
   * @param text the block with the marker in front of it
   */
  List<ToolCall> parse(String text, String marker) {
    String body = text.substring(marker.length()).strip();
    endsInside = false;
    try {
      endsInside = JsonSpan.endsInString(text);
      if (body.startsWith("<｜tool▁call▁begin｜>")) {
        return all(
            DEEPSEEK,
            "<｜tool▁call▁end｜>",
            text,
            (m, arguments) -> call("", m.group(1) == null ? m.group(2) : m.group(1), arguments));
      }
      if (body.startsWith("<|tool_call_begin|>")) {
        return all(
            KIMI,
            "<|tool_call_end|>",
            text,
            (m, arguments) ->
                call(
                    "functions." + m.group(1) + (m.group(2) == null ? "" : m.group(2)),
                    m.group(1),
                    arguments));
      }
      boolean json = body.startsWith("{") || body.startsWith("[");
      if (marker.equals("[TOOL_CALLS]") && !json) {
        return all(
            MISTRAL,
            "[TOOL_CALLS]",
            text,
            (m, arguments) ->
                call(m.group(2) == null ? "" : m.group(2).strip(), m.group(1), arguments));
      }
      if (!json && TaggedCalls.isIn(text)) {
        var tagged =
            new TaggedCalls(tools, text.startsWith("<function=") ? text + "</function>" : body);
        List<ToolCall> calls = tagged.parse();
        endsInside = tagged.endsInside();
        return calls;
      }
      if (tools.containsKey(body)) {
        return List.of(new ToolCall("", body, "{}"));
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
      return PythonJson.read(json);
    } catch (JsonProcessingException e) {
      return null;
    }
  }

  private static ToolCall call(String id, String name, String arguments) {
    JsonNode node = read(arguments.isBlank() ? "{}" : arguments);
    if (node == null || !node.isObject() || !NAME.matcher(name.strip()).matches()) {
      throw new IllegalArgumentException("not a call");
    }
    return new ToolCall(id, name.strip(), PythonJson.write(node));
  }

  /**
   * Calls that name the tool and then have arguments in JSON, which may hold markers in its
   * strings.
   *
   * @param close what ends a call, unless the block ends before
   */
  private static List<ToolCall> all(
      Pattern beginning, String close, String text, BiFunction<Matcher, String, ToolCall> reader) {
    List<ToolCall> calls = new ArrayList<>();
    Matcher matcher = beginning.matcher(text);
    int at = 0;
    while (matcher.find(at)) {
      int start = matcher.end();
      while (start < text.length() && Character.isWhitespace(text.charAt(start))) {
        start++;
      }
      int behind = start < text.length() ? JsonSpan.end(text, start) : JsonSpan.NONE;
      int end = text.indexOf(close, Math.max(behind, start));
      at = end < 0 ? text.length() : end;
      String arguments = text.substring(matcher.end(), behind > 0 ? behind : at);
      calls.add(reader.apply(matcher, arguments));
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
        PythonJson.MAPPER.readerFor(JsonNode.class).readValues(body)) {
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
      return new ToolCall("", only.getKey(), PythonJson.write(only.getValue()));
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
        arguments == null ? "{}" : PythonJson.write(arguments));
  }

  private static @Nullable JsonNode first(JsonNode node, String... keys) {
    for (String key : keys) {
      if (node.hasNonNull(key)) {
        return node.get(key);
      }
    }
    return null;
  }
}
