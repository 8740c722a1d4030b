package dev.ocellus.server.openai;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.server.api.ApiException;
import dev.ocellus.server.api.Json;
import dev.ocellus.server.api.Params;
import dev.ocellus.server.chat.ChatService;
import dev.ocellus.server.chat.Embedder;
import dev.ocellus.server.chat.Embedder.Input;
import dev.ocellus.server.http.HttpCall;
import dev.ocellus.server.http.HttpReply;
import dev.ocellus.server.image.RequestImages;
import dev.ocellus.server.model.Lease;
import dev.ocellus.vlm.embedding.DualEncoder;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/**
 * {@code POST /v1/embeddings}. An input is a text, or an object with an image: {@code {"type":
 * "image_url", "image_url": {"url": …}}} as in chats, or {@code {"image": …}}.
 */
public final class Embeddings {
  private final ChatService service;
  private final Embedder embedder;

  public Embeddings(ChatService service, Embedder embedder) {
    this.service = service;
    this.embedder = embedder;
  }

  /** Answers a request. */
  public HttpReply handle(HttpCall call) throws IOException {
    Params p = Params.of(call.body(service.limits().maxBodyBytes()));
    List<Input> inputs = inputs(p);
    boolean base64 = isBase64(p);
    var model = service.host().embeddingModel(p.text("model"));
    try (Lease<DualEncoder> lease = service.host().embedding(model)) {
      requireDimensions(p, lease.engine());
      Embedder.Vectors vectors = embedder.embed(call, lease.engine(), inputs);
      ObjectNode reply = Json.object().put("object", "list");
      ArrayNode data = reply.putArray("data");
      for (int i = 0; i < inputs.size(); i++) {
        ObjectNode entry = data.addObject().put("object", "embedding").put("index", i);
        if (base64) {
          entry.put("embedding", base64(vectors.list().get(i)));
        } else {
          entry.set("embedding", Embedder.json(vectors.list().get(i)));
        }
      }
      reply.put("model", model.name());
      reply
          .putObject("usage")
          .put("prompt_tokens", vectors.nTokens())
          .put("total_tokens", vectors.nTokens());
      return Json.ok(reply);
    }
  }

  private static boolean isBase64(Params p) {
    String format = p.text("encoding_format").orElse("float");
    return switch (format) {
      case "float" -> false;
      case "base64" -> true;
      default ->
          throw ApiException.invalid(
              "encoding_format",
              "encoding_format: expected float or base64, found '%s'".formatted(format));
    };
  }

  private static void requireDimensions(Params p, DualEncoder encoder) {
    p.integer("dimensions", 1, Integer.MAX_VALUE)
        .ifPresent(n -> {
          if (n != encoder.dimension()) {
            throw ApiException.unsupported(
                "dimensions",
                "dimensions: the vectors of this model have %d, and cannot be cut to %d"
                    .formatted(encoder.dimension(), n));
          }
        });
  }

  private List<Input> inputs(Params p) {
    JsonNode input = p.find("input");
    if (input == null) {
      throw p.missing("input");
    }
    RequestImages images = service.images();
    List<Input> inputs = new ArrayList<>();
    if (input.isArray()) {
      embedder.checkCount(input.size());
      for (int i = 0; i < input.size(); i++) {
        inputs.add(input(p, i, input.get(i), images));
      }
    } else {
      inputs.add(input(p, 0, input, images));
    }
    if (inputs.isEmpty()) {
      throw ApiException.invalid("input", "input: expected at least one, found none");
    }
    return inputs;
  }

  private static Input input(Params p, int i, JsonNode node, RequestImages images) {
    if (node.isTextual()) {
      return new Input.Text(node.textValue());
    }
    if (!node.isObject()) {
      throw p.expected("input", "strings, or objects with an image or a text", node);
    }
    Params item = p.item("input", i, node);
    JsonNode content = item.find("content"); // as of a message, with one part
    if (content != null && content.isArray() && content.size() == 1) {
      return input(p, i, content.get(0), images);
    }
    if (item.has("text")) {
      return new Input.Text(item.requireText("text"));
    }
    JsonNode url = item.find("image_url");
    String image =
        url != null && url.isObject()
            ? item.object("image_url").orElseThrow().requireText("url")
            : item.requireText(url != null ? "image_url" : "image");
    return new Input.Image(images.load(image).image());
  }

  private static String base64(float[] vector) {
    ByteBuffer bytes = ByteBuffer.allocate(vector.length * 4).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(vector);
    return Base64.getEncoder().encodeToString(bytes.array());
  }
}
