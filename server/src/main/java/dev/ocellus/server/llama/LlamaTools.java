package dev.ocellus.server.llama;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.llama.Vocab;
import dev.ocellus.server.api.ApiException;
import dev.ocellus.server.api.Json;
import dev.ocellus.server.api.Params;
import dev.ocellus.server.api.Utf8;
import dev.ocellus.server.chat.ChatParams;
import dev.ocellus.server.chat.ChatService;
import dev.ocellus.server.http.HttpCall;
import dev.ocellus.server.http.HttpReply;
import dev.ocellus.server.model.ChatEngine;
import dev.ocellus.server.model.Lease;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;

/** {@code /tokenize}, {@code /detokenize}, {@code /apply-template}. */
public final class LlamaTools {
  private static final int MAX_IDS = 1_000_000;

  private final ChatService service;

  public LlamaTools(ChatService service) {
    this.service = service;
  }

  private Lease<ChatEngine> lease(Optional<String> model) {
    return service.host().chat(service.host().chatModel(model));
  }

  private static Vocab vocab(Lease<ChatEngine> lease) {
    return lease.engine().model().pipeline().decoder().vocab();
  }

  /** The tokens of a text. */
  public HttpReply tokenize(HttpCall call) throws IOException {
    Params p = Params.of(call.body(service.limits().maxBodyBytes()));
    String text = p.text("content").orElse("");
    boolean pieces = p.flag("with_pieces");
    try (Lease<ChatEngine> lease = lease(p.text("model"))) {
      Vocab vocab = vocab(lease);
      ObjectNode reply = Json.object();
      ArrayNode tokens = reply.putArray("tokens");
      if (p.flag("add_special") && vocab.addsBos()) {
        add(tokens, vocab, vocab.bos(), pieces);
      }
      for (int token : vocab.tokenize(text, p.flag("parse_special", true))) {
        add(tokens, vocab, token, pieces);
      }
      return Json.ok(reply);
    }
  }

  private static void add(ArrayNode tokens, Vocab vocab, int token, boolean piece) {
    if (piece) {
      byte[] bytes = vocab.piece(token, true);
      ObjectNode entry = tokens.addObject().put("id", token);
      if (Utf8.firstWrong(bytes) < 0) {
        entry.put("piece", new String(bytes, StandardCharsets.UTF_8));
      } else { // a part of a character, as llama-server tells it
        ArrayNode numbers = entry.putArray("piece");
        for (byte b : bytes) {
          numbers.add(b & 0xFF);
        }
      }
    } else {
      tokens.add(token);
    }
  }

  /** The text of tokens. */
  public HttpReply detokenize(HttpCall call) throws IOException {
    Params p = Params.of(call.body(service.limits().maxBodyBytes()));
    List<JsonNode> ids = p.list("tokens");
    if (ids.size() > MAX_IDS) {
      throw ApiException.invalid("tokens", "tokens: expected at most %d".formatted(MAX_IDS));
    }
    try (Lease<ChatEngine> lease = lease(p.text("model"))) {
      Vocab vocab = vocab(lease);
      var text = new ByteArrayOutputStream();
      for (JsonNode id : ids) {
        if (!id.isInt() || id.intValue() < 0 || id.intValue() >= vocab.nTokens()) {
          throw p.expected("tokens", "ids from 0 to %d".formatted(vocab.nTokens() - 1), id);
        }
        text.writeBytes(vocab.piece(id.intValue(), true));
      }
      return Json.ok(Json.object().put("content", text.toString(StandardCharsets.UTF_8)));
    }
  }

  /** A conversation as the model's template renders it. */
  public HttpReply applyTemplate(HttpCall call) throws IOException {
    Params p = Params.of(call.body(service.limits().maxBodyBytes()));
    JsonNode messages = p.find("messages");
    if (messages == null) {
      throw p.missing("messages");
    }
    try (Lease<ChatEngine> lease = lease(p.text("model"))) {
      ChatParams params = service.params(lease).templateArguments(p);
      if (p.find("tools") instanceof ArrayNode tools) {
        params.tools(tools);
      }
      String prompt =
          lease.engine().model().render(service.messages(messages), params.promptOptions()).text();
      return Json.ok(Json.object().put("prompt", prompt));
    }
  }
}
