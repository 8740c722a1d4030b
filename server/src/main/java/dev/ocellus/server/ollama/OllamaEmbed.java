package dev.ocellus.server.ollama;

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
import dev.ocellus.server.model.HostedModel;
import dev.ocellus.server.model.Lease;
import dev.ocellus.vlm.embedding.DualEncoder;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * {@code POST /api/embed} and its predecessor {@code /api/embeddings}. Beside {@code input} there
 * may be {@code images}, in base64, whose vectors come first: Ollama itself has none.
 */
public final class OllamaEmbed {
  private static final int MAX_INPUTS = 2048;

  private final ChatService service;
  private final Embedder embedder;

  public OllamaEmbed(ChatService service, Embedder embedder) {
    this.service = service;
    this.embedder = embedder;
  }

  /** Many vectors. */
  public HttpReply embed(HttpCall call) throws IOException {
    long start = System.nanoTime();
    Params p = Params.of(call.body(service.limits().maxBodyBytes()));
    List<Input> inputs = new ArrayList<>();
    RequestImages images = service.images();
    List<JsonNode> list = p.list("images");
    for (JsonNode image : list) {
      if (!image.isTextual()) {
        throw p.expected("images", "images in base64", image);
      }
      inputs.add(new Input.Image(images.load(image.textValue()).image()));
    }
    p.texts("input", MAX_INPUTS).forEach(text -> inputs.add(new Input.Text(text)));
    HostedModel model = service.host().embeddingModel(p.text("model"));
    var keep = new KeepAlive(service.host(), model, p);
    try (Lease<DualEncoder> lease = service.host().embedding(model)) {
      keep.apply();
      ObjectNode reply = Json.object().put("model", model.name());
      ArrayNode vectors = reply.putArray("embeddings");
      int nTokens = 0;
      if (!inputs.isEmpty()) {
        Embedder.Vectors computed = embedder.embed(call, lease.engine(), inputs);
        computed.list().forEach(vector -> vectors.add(Embedder.json(vector)));
        nTokens = computed.nTokens();
      }
      reply.put("total_duration", System.nanoTime() - start);
      reply.put("load_duration", Math.round(lease.loadMillis() * 1e6));
      reply.put("prompt_eval_count", nTokens);
      return Json.ok(reply);
    } finally {
      keep.end();
    }
  }

  /** One vector, as it was before there was {@link #embed}. */
  public HttpReply embedOne(HttpCall call) throws IOException {
    Params p = Params.of(call.body(service.limits().maxBodyBytes()));
    String prompt = p.requireText("prompt");
    if (prompt.isEmpty()) {
      throw ApiException.invalid("prompt", "prompt: expected a text, found an empty one");
    }
    HostedModel model = service.host().embeddingModel(p.text("model"));
    try (Lease<DualEncoder> lease = service.host().embedding(model)) {
      var vectors = embedder.embed(call, lease.engine(), List.of(new Input.Text(prompt)));
      ObjectNode reply = Json.object();
      reply.set("embedding", Embedder.json(vectors.list().getFirst()));
      return Json.ok(reply);
    }
  }
}
