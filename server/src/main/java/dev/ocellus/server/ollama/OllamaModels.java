package dev.ocellus.server.ollama;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.server.api.Json;
import dev.ocellus.server.api.Params;
import dev.ocellus.server.http.HttpCall;
import dev.ocellus.server.http.HttpReply;
import dev.ocellus.server.model.HostedModel;
import dev.ocellus.server.model.ModelFiles;
import dev.ocellus.server.model.ModelHost;
import dev.ocellus.server.options.ModelSource;
import java.io.IOException;
import java.time.Instant;
import java.util.Locale;
import java.util.Map;

/** What there is: {@code /api/tags}, {@code /api/show}, {@code /api/ps}, {@code /api/version}. */
public final class OllamaModels {
  /** Of Ollama's API that this is; clients look at it to know what they may ask for. */
  private static final String VERSION = "0.13.0";

  private static final int MAX_BODY = 65_536;

  private final ModelHost host;

  public OllamaModels(ModelHost host) {
    this.host = host;
  }

  /** The version. */
  public HttpReply version(HttpCall call) {
    return Json.ok(Json.object().put("version", VERSION));
  }

  /** All models. */
  public HttpReply tags(HttpCall call) throws IOException {
    ObjectNode reply = Json.object();
    ArrayNode models = reply.putArray("models");
    for (HostedModel model : host.models()) {
      ObjectNode entry = entry(model);
      entry.put("modified_at", model.files().modified().toString());
      models.add(entry);
    }
    return Json.ok(reply);
  }

  /** Those that are loaded. */
  public HttpReply running(HttpCall call) throws IOException {
    ObjectNode reply = Json.object();
    ArrayNode models = reply.putArray("models");
    for (HostedModel model : host.models()) {
      if (host.state(model) == HostedModel.State.LOADED) {
        ObjectNode entry = entry(model);
        entry.put("expires_at", Instant.now().plus(host.timeLeft(model)).toString());
        entry.put("size_vram", 0);
        entry.put("context_length", contextLength(model));
        models.add(entry);
      }
    }
    return Json.ok(reply);
  }

  private static long contextLength(HostedModel model) throws IOException {
    long trained = model.files().description().contextLength();
    if (model.source().load() instanceof ModelSource.Chat chat) {
      int asked = chat.options().contextOptions().nCtx();
      return asked > 0 ? asked : trained;
    }
    return trained;
  }

  /** One model, with all that its files say. */
  public HttpReply show(HttpCall call) throws IOException {
    Params p = Params.of(call.body(MAX_BODY));
    HostedModel model =
        host.find(p.text("model").or(() -> p.text("name")).orElseThrow(() -> p.missing("model")));
    ModelFiles.Description about = model.files().description();
    ObjectNode reply =
        Json.object().put("modelfile", "").put("parameters", "").put("template", about.template());
    reply.set("details", details(about));
    put(reply.putObject("model_info"), about.metadata());
    if (!about.projector().isEmpty()) {
      put(reply.putObject("projector_info"), about.projector());
    }
    ArrayNode capabilities = reply.putArray("capabilities");
    if (model.source().chats()) {
      capabilities.add("completion");
    } else {
      capabilities.add("embedding");
    }
    if (model.files().seesImages()) {
      capabilities.add("vision");
    }
    if (about.template().contains("tools")) {
      capabilities.add("tools");
    }
    if (about.template().contains("enable_thinking") || about.template().contains("<think>")) {
      capabilities.add("thinking");
    }
    return Json.ok(reply.put("modified_at", model.files().modified().toString()));
  }

  private static void put(ObjectNode to, Map<String, Object> values) {
    values.forEach(to::putPOJO);
  }

  private static ObjectNode entry(HostedModel model) throws IOException {
    ObjectNode entry =
        Json.object()
            .put("name", model.name())
            .put("model", model.name())
            .put("size", model.files().bytes())
            .put("digest", model.files().digest());
    entry.set("details", details(model.files().description()));
    return entry;
  }

  private static ObjectNode details(ModelFiles.Description about) {
    ObjectNode details =
        Json.object()
            .put("parent_model", "")
            .put("format", "gguf")
            .put("family", about.architecture());
    details.putArray("families").add(about.architecture());
    return details
        .put("parameter_size", size(about.parameters()))
        .put("quantization_level", about.type());
  }

  private static String size(long parameters) {
    double millions = parameters / 1e6;
    return millions < 1000
        ? String.format(Locale.ROOT, "%.1fM", millions)
        : String.format(Locale.ROOT, "%.1fB", millions / 1000);
  }
}
