package dev.ocellus.vlm.template;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import dev.ocellus.vlm.python.PythonJson;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Contexts, and single values in them, from JSON text: keys keep their order, numbers are Python's
 * (see {@link PythonJson}).
 */
public final class ContextJson {
  private ContextJson() {}

  /**
   * Reads the variables of a rendering.
   *
   * @throws TemplateException when the text is not one JSON object; line and column are the JSON's
   */
  public static Map<String, @Nullable Object> parse(String json) {
    Object value = parseValue(json);
    if (!(value instanceof Map<?, ?> map)) {
      throw new TemplateException("ValueError", "a template context must be a JSON object", 1, 1);
    }
    Map<String, @Nullable Object> out = new LinkedHashMap<>();
    map.forEach((key, v) -> out.put((String) key, v));
    return out;
  }

  /**
   * Reads one JSON value.
   *
   * @return a String, Boolean, Long, BigInteger, Double, List, Map or null
   * @throws TemplateException when the text is not JSON; line and column are the JSON's
   */
  public static @Nullable Object parseValue(String json) {
    try {
      JsonNode node = PythonJson.read(json);
      if (node.isMissingNode()) {
        throw new TemplateException("JSONDecodeError", "the JSON text is empty", 1, 1);
      }
      return value(node);
    } catch (JsonProcessingException e) {
      int line = e.getLocation() == null ? 1 : e.getLocation().getLineNr();
      int column = e.getLocation() == null ? 1 : e.getLocation().getColumnNr();
      throw new TemplateException(
          "JSONDecodeError", "not valid JSON: " + e.getOriginalMessage(), line, column);
    }
  }

  private static @Nullable Object value(JsonNode node) {
    return switch (node.getNodeType()) {
      case OBJECT -> {
        Map<String, @Nullable Object> map = new LinkedHashMap<>();
        node.properties().forEach(entry -> map.put(entry.getKey(), value(entry.getValue())));
        yield map;
      }
      case ARRAY -> {
        List<@Nullable Object> list = new ArrayList<>();
        node.forEach(item -> list.add(value(item)));
        yield list;
      }
      case NUMBER -> {
        if (node.isFloatingPointNumber()) {
          yield node.doubleValue();
        }
        yield node.canConvertToLong() ? (Object) node.longValue() : node.bigIntegerValue();
      }
      case BOOLEAN -> node.booleanValue();
      case NULL -> null;
      default -> node.textValue();
    };
  }
}
