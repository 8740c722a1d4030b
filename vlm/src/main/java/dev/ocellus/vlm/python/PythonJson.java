package dev.ocellus.vlm.python;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.TextNode;
import java.util.Map;

/**
 * JSON with the numbers of Python's {@code json} module: what is written with a point or exponent
 * is a float and stays one ({@code 1.0}, {@code -0.0}, {@code 1e3} as {@code 1000.0}, {@code 1E400}
 * as {@code Infinity}), anything else an int of any size; {@code NaN} and {@code Infinity} are
 * numbers.
 */
public final class PythonJson {
  /** Digits of a number; Python refuses to read longer integers. */
  private static final int MAX_DIGITS = 4300;

  /** Python gives up at about a thousand; a chat template's values nest no deeper than this. */
  private static final int MAX_DEPTH = 250;

  /** Floats are doubles in its trees, integers are exact. */
  public static final ObjectMapper MAPPER =
      new ObjectMapper(new PythonJsonFactory(constraints().maxNestingDepth(MAX_DEPTH)))
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  private PythonJson() {}

  /** Limits that allow the numbers that Python allows. */
  public static StreamReadConstraints.Builder constraints() {
    return StreamReadConstraints.builder().maxNumberLength(MAX_DIGITS);
  }

  /**
   * Reads one value.
   *
   * @throws JsonProcessingException when the text is not JSON, or goes on behind the value
   */
  public static JsonNode read(String json) throws JsonProcessingException {
    return MAPPER.readTree(json);
  }

  /** Writes a value on one line, without spaces between its parts. */
  public static String write(JsonNode node) {
    StringBuilder out = new StringBuilder();
    write(out, node);
    return out.toString();
  }

  private static void write(StringBuilder out, JsonNode node) {
    if (node.isObject()) {
      String separator = "{";
      for (Map.Entry<String, JsonNode> entry : node.properties()) {
        out.append(separator).append(TextNode.valueOf(entry.getKey())).append(':');
        write(out, entry.getValue());
        separator = ",";
      }
      out.append(node.isEmpty() ? "{}" : "}");
    } else if (node.isArray()) {
      String separator = "[";
      for (JsonNode item : node) {
        out.append(separator);
        write(out, item);
        separator = ",";
      }
      out.append(node.isEmpty() ? "[]" : "]");
    } else if (node.isFloatingPointNumber()) {
      double value = node.doubleValue();
      out.append(node.isBigDecimal() && Double.isInfinite(value) ? node.toString() : number(value));
    } else {
      out.append(node);
    }
  }

  /** A float as {@code json.dumps} writes it. */
  public static String number(double d) {
    if (Double.isNaN(d)) {
      return "NaN";
    }
    return Double.isInfinite(d) ? (d > 0 ? "Infinity" : "-Infinity") : PythonFloat.repr(d);
  }
}
