package dev.ocellus.server.openai;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.server.api.Json;
import dev.ocellus.server.http.HttpCall;
import dev.ocellus.server.http.HttpReply;
import dev.ocellus.server.model.HostedModel;
import dev.ocellus.server.model.ModelHost;
import java.util.Locale;

/**
 * {@code GET /v1/models}. Anthropic's API has the same path and other names, which are there as
 * well.
 */
public final class Models {
  private final ModelHost host;

  public Models(ModelHost host) {
    this.host = host;
  }

  /** All models. */
  public HttpReply list(HttpCall call) {
    ObjectNode reply = Json.object().put("object", "list");
    ArrayNode data = reply.putArray("data");
    host.models().forEach(model -> data.add(entry(model)));
    reply.put("has_more", false);
    reply.put("first_id", host.models().getFirst().name());
    reply.put("last_id", host.models().getLast().name());
    return Json.ok(reply);
  }

  /** One model, by the name at the end of the path. */
  public HttpReply one(HttpCall call) {
    String name = call.path().substring(call.path().indexOf("/models/") + 8);
    return Json.ok(entry(host.find(name)));
  }

  private ObjectNode entry(HostedModel model) {
    ObjectNode entry =
        Json.object()
            .put("id", model.name())
            .put("object", "model")
            .put("created", model.created().getEpochSecond())
            .put("owned_by", "ocellus")
            .put("type", "model")
            .put("display_name", model.name())
            .put("created_at", model.created().toString());
    entry.putObject("status").put("value", host.state(model).name().toLowerCase(Locale.ROOT));
    ObjectNode architecture = entry.putObject("architecture");
    ArrayNode in = architecture.putArray("input_modalities").add("text");
    if (model.files().seesImages()) {
      in.add("image");
    }
    architecture.putArray("output_modalities").add(model.source().chats() ? "text" : "embedding");
    return entry;
  }
}
