package dev.ocellus.vlm.tool;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.ocellus.vlm.chat.ToolCall;
import dev.ocellus.vlm.python.PythonJson;
import java.util.ArrayList;
import java.util.List;

/**
 * Calls as Python writes them, {@code [weather(city="Rome", days=3)]}, and as Gemma 4 does, {@code
 * call:weather{city:<|"|>Rome<|"|>,days:3}}.
 */
final class PythonCalls {
  private static final int MAX_DEPTH = 100;
  private static final String GEMMA_QUOTE = "<|\"|>";

  private final String source;
  private final boolean gemma;
  private int at;
  private int depth;

  PythonCalls(String source, boolean gemma) {
    this.source = source.strip();
    this.gemma = gemma;
  }

  /**
   * @throws IllegalArgumentException if the text is no such calls
   */
  List<ToolCall> parse() {
    List<ToolCall> calls = new ArrayList<>();
    boolean list = !gemma && take("[");
    do {
      calls.add(call());
    } while (take(","));
    if (list) {
      expect("]");
    }
    space();
    if (at < source.length()) {
      throw fail();
    }
    return calls;
  }

  private IllegalArgumentException fail() {
    return new IllegalArgumentException("no call at character " + at);
  }

  private void space() {
    while (at < source.length() && Character.isWhitespace(source.charAt(at))) {
      at++;
    }
  }

  private boolean take(String text) {
    space();
    if (source.startsWith(text, at)) {
      at += text.length();
      return true;
    }
    return false;
  }

  private void expect(String text) {
    if (!take(text)) {
      throw fail();
    }
  }

  private String name() {
    space();
    int start = at;
    while (at < source.length()
        && (Character.isLetterOrDigit(source.charAt(at))
            || "_.-".indexOf(source.charAt(at)) >= 0)) {
      at++;
    }
    if (at == start) {
      throw fail();
    }
    return source.substring(start, at);
  }

  private ToolCall call() {
    if (gemma) {
      expect("call:");
    }
    String name = name();
    expect(gemma ? "{" : "(");
    String end = gemma ? "}" : ")";
    ObjectNode arguments = PythonJson.MAPPER.createObjectNode();
    if (!take(end)) {
      do {
        String key = name();
        expect(gemma ? ":" : "=");
        arguments.set(key, value());
      } while (take(","));
      expect(end);
    }
    return new ToolCall("", name, PythonJson.write(arguments));
  }

  private JsonNode value() {
    if (++depth > MAX_DEPTH) {
      throw fail();
    }
    space();
    JsonNode value;
    if (gemma && source.startsWith(GEMMA_QUOTE, at)) {
      value = TextNode.valueOf(gemmaText());
    } else if (take("[")) {
      value = list();
    } else if (take("{")) {
      value = dict();
    } else if (at < source.length() && (source.charAt(at) == '"' || source.charAt(at) == '\'')) {
      value = TextNode.valueOf(text());
    } else {
      value = word();
    }
    depth--;
    return value;
  }

  private String gemmaText() {
    int start = at + GEMMA_QUOTE.length();
    int end = source.indexOf(GEMMA_QUOTE, start);
    if (end < 0) {
      throw fail();
    }
    at = end + GEMMA_QUOTE.length();
    return source.substring(start, end);
  }

  private ArrayNode list() {
    ArrayNode list = PythonJson.MAPPER.createArrayNode();
    if (!take("]")) {
      do {
        list.add(value());
      } while (take(","));
      expect("]");
    }
    return list;
  }

  private ObjectNode dict() {
    ObjectNode dict = PythonJson.MAPPER.createObjectNode();
    if (!take("}")) {
      do {
        space();
        boolean quoted =
            at < source.length()
                && (source.charAt(at) == '"'
                    || source.charAt(at) == '\''
                    || source.charAt(at) == '<');
        String key = quoted ? value().asText() : name();
        expect(":");
        dict.set(key, value());
      } while (take(","));
      expect("}");
    }
    return dict;
  }

  private String text() {
    char quote = source.charAt(at++);
    StringBuilder text = new StringBuilder();
    while (at < source.length() && source.charAt(at) != quote) {
      char c = source.charAt(at++);
      if (c != '\\' || at == source.length()) {
        text.append(c);
        continue;
      }
      char escape = source.charAt(at++);
      switch (escape) {
        case 'n' -> text.append('\n');
        case 't' -> text.append('\t');
        case 'r' -> text.append('\r');
        case 'u' -> {
          int end = Math.min(source.length(), at + 4);
          text.append((char) Integer.parseInt(source.substring(at, end), 16));
          at = end;
        }
        case '\\', '\'', '"' -> text.append(escape);
        default -> text.append(c).append(escape);
      }
    }
    if (at == source.length()) {
      throw fail();
    }
    at++;
    return text.toString();
  }

  private JsonNode word() {
    int start = at;
    while (at < source.length() && ",)]} \n\t:".indexOf(source.charAt(at)) < 0) {
      at++;
    }
    String word = source.substring(start, at);
    return switch (word) {
      case "True", "true" -> BooleanNode.TRUE;
      case "False", "false" -> BooleanNode.FALSE;
      case "None", "null" -> NullNode.getInstance();
      default -> {
        JsonNode number = ToolCallParser.read(word);
        if (number == null || !number.isNumber()) {
          throw fail();
        }
        yield number;
      }
    };
  }
}
