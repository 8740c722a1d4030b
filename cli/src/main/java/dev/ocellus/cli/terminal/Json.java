package dev.ocellus.cli.terminal;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;

/** JSON for programs. */
public final class Json {
  private Json() {}

  public static ObjectNode object() {
    return JsonNodeFactory.instance.objectNode();
  }

  public static ArrayNode array() {
    return JsonNodeFactory.instance.arrayNode();
  }

  public static ArrayNode array(int[] numbers) {
    ArrayNode array = JsonNodeFactory.instance.arrayNode(numbers.length);
    for (int number : numbers) {
      array.add(number);
    }
    return array;
  }

  public static ArrayNode array(float[] numbers) {
    ArrayNode array = JsonNodeFactory.instance.arrayNode(numbers.length);
    for (float number : numbers) {
      array.add(number);
    }
    return array;
  }

  /** Milliseconds with the microseconds that a clock is good for. */
  public static double millis(double millis) {
    return Math.round(millis * 1000) / 1000.0;
  }

  /** Indented text. */
  public static String write(JsonNode node) {
    try {
      return new ObjectMapper().writerWithDefaultPrettyPrinter().writeValueAsString(node);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a tree of JSON nodes could not be written", e);
    }
  }
}
