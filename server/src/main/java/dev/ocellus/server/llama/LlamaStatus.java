package dev.ocellus.server.llama;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.server.api.ApiException;
import dev.ocellus.server.api.Json;
import dev.ocellus.server.chat.ChatService;
import dev.ocellus.server.http.HttpCall;
import dev.ocellus.server.http.HttpReply;
import dev.ocellus.server.model.HostedModel;
import dev.ocellus.server.options.ModelSource;
import dev.ocellus.server.options.RequestLimits;
import dev.ocellus.vlm.options.LoadOptions;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/** {@code /health}, {@code /props}, {@code /metrics}. */
public final class LlamaStatus {
  private final ChatService service;
  private final boolean fetchesImages;

  /**
   * @param fetchesImages whether images are fetched from URLs
   */
  public LlamaStatus(ChatService service, boolean fetchesImages) {
    this.service = service;
    this.fetchesImages = fetchesImages;
  }

  /** Whether requests are taken; asks nobody for a key and tells nothing else. */
  public HttpReply health(HttpCall call) {
    if (service.host().isDraining()) {
      throw new ApiException(ApiException.Kind.UNAVAILABLE, "the server is being stopped");
    }
    return Json.ok(Json.object().put("status", "ok"));
  }

  /** What clients want to know about a model and the server. No path is told. */
  public HttpReply props(HttpCall call) throws IOException {
    Optional<String> name = call.query("model").filter(text -> !text.isEmpty());
    HostedModel model = service.host().chatModel(name);
    LoadOptions load = ((ModelSource.Chat) model.source().load()).options();
    var about = model.files().description();
    ObjectNode reply = Json.object();
    long nCtx = load.contextOptions().nCtx();
    reply
        .putObject("default_generation_settings")
        .put("n_ctx", nCtx > 0 ? nCtx : about.contextLength());
    reply.put("total_slots", load.sessions().parallel());
    reply.put("model_alias", model.name());
    String template = load.chatTemplate();
    reply.put("chat_template", template == null ? about.template() : template);
    reply
        .putObject("modalities")
        .put("vision", load.mmproj() != null)
        .put("audio", false)
        .put("video", false);
    reply.put("build_info", "ocellus");
    ObjectNode ours = reply.putObject("ocellus");
    RequestLimits limits = service.limits();
    ours.put("max_body_bytes", limits.maxBodyBytes())
        .put("max_images", limits.maxImages())
        .put("max_image_pixels", limits.image().maxPixels())
        .put("image_urls", fetchesImages);
    ArrayNode models = ours.putArray("models");
    for (HostedModel each : service.host().models()) {
      models
          .addObject()
          .put("id", each.name())
          .put("chat", each.source().chats())
          .put("images", each.files().seesImages());
    }
    return Json.ok(reply);
  }

  /** Counts for Prometheus. */
  public HttpReply metrics(HttpCall call) {
    int[] work = service.host().work();
    int loaded = 0;
    for (HostedModel model : service.host().models()) {
      loaded += service.host().state(model) == HostedModel.State.LOADED ? 1 : 0;
    }
    String text = service.metrics().text(work[0], work[1], loaded);
    return HttpReply.of(
        200, "text/plain; version=0.0.4; charset=utf-8", text.getBytes(StandardCharsets.UTF_8));
  }
}
