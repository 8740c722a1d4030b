package dev.ocellus.server.llama;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.server.api.ApiException;
import dev.ocellus.server.api.Json;
import dev.ocellus.server.api.Params;
import dev.ocellus.server.chat.ChatService;
import dev.ocellus.server.chat.Metrics;
import dev.ocellus.server.http.HttpCall;
import dev.ocellus.server.http.HttpReply;
import dev.ocellus.server.model.HostedModel;
import dev.ocellus.server.model.ModelHost;
import dev.ocellus.server.options.ModelSource;
import dev.ocellus.server.options.RequestLimits;
import dev.ocellus.vlm.chat.ContextUse;
import dev.ocellus.vlm.options.LoadOptions;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** {@code /health}, {@code /props}, {@code /slots}, {@code /metrics}, and loading of models. */
public final class LlamaStatus {
  private static final int MAX_BODY = 65_536;

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
    HostedModel model = model(call);
    LoadOptions load = ((ModelSource.Chat) model.source().load()).options();
    var about = model.files().description();
    ObjectNode reply = Json.object();
    reply.putObject("default_generation_settings").put("n_ctx", nCtx(model, load));
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

  /** The sequences of a model that is loaded, and which of them answer. */
  public HttpReply slots(HttpCall call) throws IOException {
    HostedModel model = model(call);
    boolean loaded = service.host().state(model) == HostedModel.State.LOADED;
    LoadOptions load = ((ModelSource.Chat) model.source().load()).options();
    int n = loaded ? load.sessions().parallel() : 0;
    int running = service.host().running(model);
    List<ContextUse.Sequence> used = service.host().contextUse(model).sequences();
    if (running >= n && call.query("fail_on_no_slot").isPresent()) {
      throw new ApiException(ApiException.Kind.UNAVAILABLE, "no slot is available");
    }
    ArrayNode slots = Json.array();
    for (int i = 0; i < n; i++) {
      ObjectNode slot = slots.addObject();
      slot.put("id", i).put("n_ctx", nCtx(model, load)).put("speculative", false);
      if (i < used.size()) {
        put(slot, used.get(i));
      } else {
        slot.put("is_processing", used.isEmpty() && i < running);
      }
    }
    return Json.ok(slots);
  }

  /** In llama-server's names; what was asked and answered is not told. */
  private static void put(ObjectNode slot, ContextUse.Sequence sequence) {
    slot.put("is_processing", sequence.answering())
        .put("n_prompt_tokens", sequence.tokens())
        .put("n_prompt_tokens_processed", sequence.promptTokens() - sequence.cachedTokens())
        .put("n_prompt_tokens_cache", sequence.cachedTokens());
  }

  private HostedModel model(HttpCall call) {
    return service.host().chatModel(call.query("model").filter(text -> !text.isEmpty()));
  }

  private static long nCtx(HostedModel model, LoadOptions load) throws IOException {
    int asked = load.contextOptions().nCtx();
    return asked > 0 ? asked : model.files().description().contextLength();
  }

  /** Loads a model before somebody asks for an answer of it. */
  public HttpReply load(HttpCall call) throws IOException {
    HostedModel model = named(call);
    if (model.source().chats()) {
      service.host().chat(model).close();
    } else {
      service.host().embedding(model).close();
    }
    return Json.ok(Json.object().put("success", true));
  }

  /** Unloads a model that nobody uses. */
  public HttpReply unload(HttpCall call) throws IOException {
    HostedModel model = named(call);
    if (service.host().state(model) == HostedModel.State.UNLOADED) {
      throw ApiException.invalid("model", "the model %s is not loaded".formatted(model.name()));
    }
    if (!service.host().unloadIdle(model)) {
      throw new ApiException(
          ApiException.Kind.BUSY,
          "the model %s is in use; try again later".formatted(model.name()));
    }
    return Json.ok(Json.object().put("success", true));
  }

  private HostedModel named(HttpCall call) throws IOException {
    return service.host().find(Params.of(call.body(MAX_BODY)).requireText("model"));
  }

  /** Counts for Prometheus. */
  public HttpReply metrics(HttpCall call) {
    ModelHost.Work work = service.host().work();
    int loaded = 0;
    int kept = 0;
    int keptTokens = 0;
    for (HostedModel model : service.host().models()) {
      loaded += service.host().state(model) == HostedModel.State.LOADED ? 1 : 0;
      ContextUse use = service.host().contextUse(model);
      kept += use.keptPrefixes();
      keptTokens += use.keptTokens();
    }
    var now = new Metrics.Now(work.queued(), work.running(), loaded, kept, keptTokens);
    String text = service.metrics().text(now);
    return HttpReply.of(
        200, "text/plain; version=0.0.4; charset=utf-8", text.getBytes(StandardCharsets.UTF_8));
  }
}
