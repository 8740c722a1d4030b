package dev.ocellus.vlm.tool;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.ocellus.vlm.chat.Tool;
import dev.ocellus.vlm.chat.ToolCall;
import dev.ocellus.vlm.python.PythonJson;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Calls of which each argument has tags of its own. A value that is text goes up to the first
 * closing tag; JSON may hold such a tag in its strings.
 */
final class TaggedCalls {
  private static final Pattern FUNCTION = Pattern.compile("<function=([^>]+)>");
  private static final Pattern PARAMETER = Pattern.compile("<parameter=([^>]+)>");
  private static final Pattern INVOKE = Pattern.compile("<(?:｜DSML｜)?invoke name=\"([^\"]+)\">");
  private static final Pattern NAMED_PARAMETER =
      Pattern.compile("<(?:｜DSML｜)?parameter name=\"([^\"]+)\"(?: string=\"(true|false)\")?>");
  private static final Pattern KEY =
      Pattern.compile("<arg_key>(.*?)</arg_key>\\s*<arg_value>", Pattern.DOTALL);

  /** Where values end, and where the call does: empty at the end of the block. */
  private record Closing(String value, String call, boolean trimsLines) {}

  private final Map<String, Tool> tools;
  private final String body;
  private boolean endsInside;

  TaggedCalls(Map<String, Tool> tools, String body) {
    this.tools = tools;
    this.body = body;
  }

  /** Whether a text has calls of this kind. */
  static boolean isIn(String body) {
    return first(body) != null;
  }

  /** What calls begin with: the first that occurs, as the others may stand in a value. */
  private static @Nullable Pattern first(String body) {
    Pattern first = null;
    int at = Integer.MAX_VALUE;
    for (Pattern pattern : List.of(FUNCTION, KEY, INVOKE)) {
      Matcher matcher = pattern.matcher(body);
      if (matcher.find() && matcher.start() < at) {
        first = pattern;
        at = matcher.start();
      }
    }
    return first;
  }

  /** Whether the last value had not ended, so that what ends the block may be a part of it. */
  boolean endsInside() {
    return endsInside;
  }

  List<ToolCall> parse() {
    Pattern first = first(body);
    if (first == FUNCTION) {
      return all(FUNCTION, PARAMETER, new Closing("</parameter>", "</function>", true));
    }
    if (first == KEY) {
      return keysAndValues();
    }
    String prefix = body.contains("<｜DSML｜invoke") ? "｜DSML｜" : "";
    return all(
        INVOKE,
        NAMED_PARAMETER,
        new Closing("</" + prefix + "parameter>", "</" + prefix + "invoke>", false));
  }

  private List<ToolCall> all(Pattern opening, Pattern parameter, Closing closing) {
    List<ToolCall> calls = new ArrayList<>();
    Matcher call = opening.matcher(body);
    int at = 0;
    while (at >= 0 && call.find(at)) {
      String name = call.group(1).strip();
      ObjectNode arguments = PythonJson.MAPPER.createObjectNode();
      at =
          body.substring(call.end()).stripLeading().startsWith("{")
              ? object(call.end(), closing.call, arguments)
              : values(name, call.end(), parameter, closing, arguments);
      if (at >= 0) {
        calls.add(new ToolCall("", name, PythonJson.write(arguments)));
      }
    }
    return calls;
  }

  private List<ToolCall> keysAndValues() {
    int first = body.indexOf("<arg_key>");
    String name = body.substring(0, first).strip();
    ObjectNode arguments = PythonJson.MAPPER.createObjectNode();
    int end = values(name, first, KEY, new Closing("</arg_value>", "", false), arguments);
    boolean readable = end >= 0 && ToolCallParser.NAME.matcher(name).matches();
    return readable ? List.of(new ToolCall("", name, PythonJson.write(arguments))) : List.of();
  }

  /** Arguments that are one object; gives the place behind the call, or −1. */
  private int object(int from, String close, ObjectNode to) {
    int start = body.indexOf('{', from);
    int end = JsonSpan.end(body, start);
    endsInside |= end == JsonSpan.UNFINISHED;
    int closing = end < 0 ? -1 : body.indexOf(close, end);
    JsonNode node = closing < 0 ? null : ToolCallParser.read(body.substring(start, closing));
    if (node == null || !node.isObject()) {
      return -1;
    }
    to.setAll((ObjectNode) node);
    return closing + close.length();
  }

  /** Arguments one by one; gives the place behind the call, or −1 if it does not end. */
  private int values(String tool, int from, Pattern parameter, Closing closing, ObjectNode to) {
    int at = from;
    Matcher matcher = parameter.matcher(body);
    while (true) {
      boolean more = matcher.find(at);
      int end = closing.call.isEmpty() ? blankEnd(at) : body.indexOf(closing.call, at);
      if (!more || (end >= 0 && end < matcher.start())) {
        return end < 0 ? -1 : end + closing.call.length();
      }
      String key = matcher.group(1).strip();
      String said = matcher.groupCount() > 1 ? matcher.group(2) : null;
      Tool known = tools.get(tool);
      boolean text = said != null ? said.equals("true") : known != null && known.isText(key);
      int valueEnd = valueEnd(matcher.end(), closing.value, text);
      if (valueEnd < 0) {
        endsInside = true;
        return -1;
      }
      String value = body.substring(matcher.end(), valueEnd);
      put(to, key, closing.trimsLines ? withoutLineEnds(value) : value, text);
      at = valueEnd + closing.value.length();
    }
  }

  /** The end of the body if nothing but space is left; −1 if an argument was begun. */
  private int blankEnd(int from) {
    return body.substring(from).isBlank() ? body.length() : -1;
  }

  private int valueEnd(int from, String close, boolean text) {
    int start = from;
    while (start < body.length() && Character.isWhitespace(body.charAt(start))) {
      start++;
    }
    if (!text && start < body.length() && "{[\"".indexOf(body.charAt(start)) >= 0) {
      int end = JsonSpan.end(body, start);
      if (end == JsonSpan.UNFINISHED) {
        return -1;
      }
      while (end >= 0 && end < body.length() && Character.isWhitespace(body.charAt(end))) {
        end++;
      }
      if (end >= 0 && body.startsWith(close, end)) {
        return end;
      }
    }
    return body.indexOf(close, from);
  }

  /** A value in lines of its own. */
  private static String withoutLineEnds(String value) {
    if (!value.startsWith("\n")) {
      return value;
    }
    int end = value.endsWith("\n") && value.length() > 1 ? value.length() - 1 : value.length();
    return value.substring(1, end);
  }

  /** Adds an argument: text where the tool or the model says so, else JSON where it is valid. */
  private static void put(ObjectNode to, String key, String value, boolean text) {
    @Nullable JsonNode node = text ? null : ToolCallParser.read(value);
    to.set(key, node == null || node.isMissingNode() ? TextNode.valueOf(value) : node);
  }
}
