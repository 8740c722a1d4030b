package dev.ocellus.server.api;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.server.http.HttpReply;
import dev.ocellus.vlm.python.PythonJson;
import dev.ocellus.vlm.python.PythonJsonFactory;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/** JSON as it comes over the network, and as it is sent. */
public final class Json {
  /** Words and brackets: far more than a conversation has, and no more than memory holds. */
  private static final long MAX_TOKENS = 2_000_000;

  private static final int MAX_DEPTH = 100;

  /**
   * Numbers are Python's, since templates show tools and their results as Python would write them.
   * Where a name is given twice, two readers could understand different things, so it is refused.
   */
  private static final ObjectMapper MAPPER =
      new ObjectMapper(
              new PythonJsonFactory(
                      PythonJson.constraints()
                          .maxStringLength(Integer.MAX_VALUE) // a body is bounded already
                          .maxTokenCount(MAX_TOKENS)
                          .maxNestingDepth(MAX_DEPTH))
                  .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION.mappedFeature()))
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  private Json() {}

  /** An empty object. */
  public static ObjectNode object() {
    return JsonNodeFactory.instance.objectNode();
  }

  /** An empty list. */
  public static ArrayNode array() {
    return JsonNodeFactory.instance.arrayNode();
  }

  /**
   * Reads a request's body.
   *
   * @throws ApiException if it is no JSON object
   */
  public static ObjectNode read(byte[] body) {
    int wrong = Utf8.isWider(body) ? -1 : Utf8.firstWrong(body);
    if (wrong >= 0) {
      throw new ApiException(
          ApiException.Kind.INVALID, "the body is not valid UTF-8 at byte " + wrong);
    }
    JsonNode node;
    try {
      node = MAPPER.readTree(body);
    } catch (JsonProcessingException e) {
      var at = e.getLocation();
      throw new ApiException(
          ApiException.Kind.INVALID,
          "the body is not valid JSON%s: %s"
              .formatted(
                  at == null
                      ? ""
                      : " (line %d, column %d)".formatted(at.getLineNr(), at.getColumnNr()),
                  firstLine(e.getOriginalMessage())),
          e);
    } catch (IOException e) {
      throw new ApiException(ApiException.Kind.INVALID, "the body is not valid JSON", e);
    }
    if (node instanceof ObjectNode object) {
      return object;
    }
    throw new ApiException(
        ApiException.Kind.INVALID,
        "expected a JSON object as the body, found " + Params.kind(node));
  }

  private static String firstLine(String text) {
    int end = text.indexOf('\n');
    return end < 0 ? text : text.substring(0, end);
  }

  /** One line. */
  public static String write(JsonNode node) {
    return node.toString();
  }

  /** A reply. */
  public static HttpReply reply(int status, JsonNode body) {
    return HttpReply.of(
        status, "application/json; charset=utf-8", write(body).getBytes(StandardCharsets.UTF_8));
  }

  /** A reply that all is well. */
  public static HttpReply ok(JsonNode body) {
    return reply(200, body);
  }
}
