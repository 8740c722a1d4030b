package dev.ocellus.vlm.grammar.schema;

import com.fasterxml.jackson.databind.JsonNode;
import java.math.BigDecimal;
import java.util.Collection;
import java.util.Comparator;

/**
 * Equality of JSON values as JSON Schema has it: numbers are equal whichever way they are written.
 */
final class JsonValues {
  private static final Comparator<JsonNode> BY_VALUE =
      (a, b) -> {
        if (a.isNumber() && b.isNumber()) {
          return a.decimalValue().compareTo(b.decimalValue());
        }
        return a.equals(b) ? 0 : 1;
      };

  private JsonValues() {}

  static boolean areEqual(JsonNode a, JsonNode b) {
    return a.equals(BY_VALUE, b);
  }

  static boolean contains(Collection<JsonNode> values, JsonNode wanted) {
    return values.stream().anyMatch(value -> areEqual(value, wanted));
  }

  /** Whether a value is an integer, also if it is written as 1.0. */
  static boolean isWhole(JsonNode value) {
    return value.isNumber() && isWhole(value.decimalValue());
  }

  static boolean isWhole(BigDecimal value) {
    return value.signum() == 0 || value.stripTrailingZeros().scale() <= 0;
  }
}
