package dev.ocellus.server.api;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeType;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * The parameters of a request. What has the wrong type or is out of range is refused by name; null
 * is as good as nothing; names that nobody asks for are left alone, as OpenAI's API does.
 */
public final class Params {
  private final String at;
  private final ObjectNode node;

  /**
   * @param at in front of the names in messages; empty for a request's own
   */
  public Params(String at, ObjectNode node) {
    this.at = at;
    this.node = node;
  }

  /** The parameters of a request's body. */
  public static Params of(byte[] body) {
    return new Params("", Json.read(body));
  }

  /** What it is all read from. */
  public ObjectNode node() {
    return node;
  }

  /** The name of a parameter with what it is in. */
  public String name(String key) {
    return at.isEmpty() ? key : at + "." + key;
  }

  /** Whether there is a value that is not null. */
  public boolean has(String key) {
    return find(key) != null;
  }

  /** A value that is not null, or null. */
  public @Nullable JsonNode find(String key) {
    JsonNode value = node.get(key);
    return value == null || value.isNull() ? null : value;
  }

  /** A text. */
  public Optional<String> text(String key) {
    JsonNode value = find(key);
    if (value == null) {
      return Optional.empty();
    }
    if (!value.isTextual()) {
      throw expected(key, "a string", value);
    }
    return Optional.of(value.textValue());
  }

  /** A text that has to be there. */
  public String requireText(String key) {
    return text(key).orElseThrow(() -> missing(key));
  }

  /** Whether something is so; false where nothing is said. */
  public boolean flag(String key) {
    return flag(key, false);
  }

  /** Whether something is so. */
  public boolean flag(String key, boolean otherwise) {
    JsonNode value = find(key);
    if (value == null) {
      return otherwise;
    }
    if (!value.isBoolean()) {
      throw expected(key, "true or false", value);
    }
    return value.booleanValue();
  }

  /** A whole number of a range. */
  public OptionalInt integer(String key, int min, int max) {
    OptionalLong value = whole(key, min, max);
    return value.isPresent() ? OptionalInt.of((int) value.getAsLong()) : OptionalInt.empty();
  }

  /** A whole number of a range; one that is written with a point counts if it is whole. */
  public OptionalLong whole(String key, long min, long max) {
    JsonNode value = find(key);
    if (value == null) {
      return OptionalLong.empty();
    }
    boolean fits =
        value.isIntegralNumber()
            ? value.canConvertToLong()
            : value.isNumber()
                && value.doubleValue() == Math.rint(value.doubleValue())
                && Math.abs(value.doubleValue()) < 1L << 53;
    if (!fits || value.longValue() < min || value.longValue() > max) {
      throw expected(key, "a whole number from %d to %d".formatted(min, max), value);
    }
    return OptionalLong.of(value.longValue());
  }

  /** A number of a range. */
  public OptionalDouble number(String key, double min, double max) {
    JsonNode value = find(key);
    if (value == null) {
      return OptionalDouble.empty();
    }
    double number = value.isNumber() ? value.doubleValue() : Double.NaN;
    if (!(number >= min && number <= max)) { // NaN, too
      throw expected(key, "a number from %s to %s".formatted(plain(min), plain(max)), value);
    }
    return OptionalDouble.of(number);
  }

  private static String plain(double number) {
    return number == Math.rint(number) ? Long.toString((long) number) : Double.toString(number);
  }

  /** A list; empty where there is none. */
  public List<JsonNode> list(String key) {
    JsonNode value = find(key);
    if (value == null) {
      return List.of();
    }
    if (!value.isArray()) {
      throw expected(key, "a list", value);
    }
    List<JsonNode> items = new ArrayList<>(value.size());
    value.forEach(items::add);
    return items;
  }

  /** A list of texts, or one alone. */
  public List<String> texts(String key, int max) {
    JsonNode value = find(key);
    if (value == null) {
      return List.of();
    }
    if (value.isTextual()) {
      return List.of(value.textValue());
    }
    if (!value.isArray() || value.size() > max) {
      throw expected(key, "a string or a list of at most %d strings".formatted(max), value);
    }
    List<String> texts = new ArrayList<>();
    for (JsonNode item : value) {
      if (!item.isTextual()) {
        throw expected(key, "a string or a list of strings", value);
      }
      texts.add(item.textValue());
    }
    return texts;
  }

  /** Parameters inside of a parameter. */
  public Optional<Params> object(String key) {
    JsonNode value = find(key);
    if (value == null) {
      return Optional.empty();
    }
    if (!(value instanceof ObjectNode object)) {
      throw expected(key, "an object", value);
    }
    return Optional.of(new Params(name(key), object));
  }

  /** An item of a list as parameters. */
  public Params item(String key, int index, JsonNode value) {
    String place = name(key) + "[" + index + "]";
    if (!(value instanceof ObjectNode object)) {
      throw ApiException.invalid(place, place + ": expected an object, found " + kind(value));
    }
    return new Params(place, object);
  }

  /** A parameter of the wrong type or out of range. */
  public ApiException expected(String key, String what, JsonNode found) {
    String name = name(key);
    return ApiException.invalid(
        name, "%s: expected %s, found %s".formatted(name, what, kind(found)));
  }

  /** A parameter that is not there. */
  public ApiException missing(String key) {
    String name = name(key);
    return ApiException.invalid(name, name + ": is required, and not there");
  }

  /** What a value is, for messages. */
  static String kind(@Nullable JsonNode node) {
    if (node == null || node.isMissingNode()) {
      return "nothing";
    }
    JsonNodeType type = node.getNodeType();
    return switch (type) {
      case ARRAY -> "a list of " + node.size();
      case OBJECT -> "an object";
      case STRING -> "the string " + shortened(node.textValue());
      case NUMBER -> "the number " + shortened(node.asText());
      case BOOLEAN -> node.asText();
      case NULL -> "null";
      default -> type.toString();
    };
  }

  private static String shortened(String text) {
    return text.length() <= 60 ? "'" + text + "'" : "'" + text.substring(0, 57) + "…'";
  }
}
