package dev.ocellus.vlm.template;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Contexts, and single values in them, from JSON text: keys keep their order, {@code 1} stays an
 * integer and {@code 1.0} a float, {@code NaN} and {@code Infinity} are numbers as in Python.
 */
public final class ContextJson {
  private static final JsonFactory FACTORY =
      JsonFactory.builder().enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS).build();

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
    try (JsonParser parser = FACTORY.createParser(json)) {
      parser.nextToken();
      Object value = value(parser);
      if (parser.nextToken() != null) {
        throw at(parser, "more text after the JSON value");
      }
      return value;
    } catch (JsonProcessingException e) {
      int line = e.getLocation() == null ? 1 : e.getLocation().getLineNr();
      int column = e.getLocation() == null ? 1 : e.getLocation().getColumnNr();
      throw new TemplateException(
          "JSONDecodeError", "not valid JSON: " + e.getOriginalMessage(), line, column);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static TemplateException at(JsonParser parser, String detail) {
    return new TemplateException(
        "JSONDecodeError",
        detail,
        parser.currentLocation().getLineNr(),
        parser.currentLocation().getColumnNr());
  }

  private static @Nullable Object value(JsonParser parser) throws IOException {
    JsonToken token = parser.currentToken();
    if (token == null) {
      throw at(parser, "the JSON text is empty");
    }
    return switch (token) {
      case START_OBJECT -> {
        Map<String, @Nullable Object> map = new LinkedHashMap<>();
        while (parser.nextToken() != JsonToken.END_OBJECT) {
          String key = parser.currentName();
          parser.nextToken();
          map.put(key, value(parser));
        }
        yield map;
      }
      case START_ARRAY -> {
        List<@Nullable Object> list = new ArrayList<>();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
          list.add(value(parser));
        }
        yield list;
      }
      case VALUE_NUMBER_INT ->
          switch (parser.getNumberType()) {
            case BIG_INTEGER -> parser.getBigIntegerValue();
            default -> parser.getLongValue();
          };
      case VALUE_NUMBER_FLOAT -> parser.getDoubleValue();
      case VALUE_TRUE -> true;
      case VALUE_FALSE -> false;
      case VALUE_NULL -> null;
      default -> parser.getText();
    };
  }
}
