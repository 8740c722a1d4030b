package dev.ocellus.server.openai;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.server.api.Ids;
import dev.ocellus.server.api.Json;
import dev.ocellus.server.api.Params;
import dev.ocellus.server.chat.ChatParams;
import dev.ocellus.server.chat.ChatService;
import dev.ocellus.server.chat.Pieces;
import dev.ocellus.server.chat.Turn;
import dev.ocellus.server.http.HttpCall;
import dev.ocellus.server.http.HttpReply;
import dev.ocellus.server.model.ChatEngine;
import dev.ocellus.server.model.HostedModel;
import dev.ocellus.server.model.Lease;
import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.Message;
import java.io.IOException;
import java.time.Instant;
import java.util.List;

/** {@code POST /v1/chat/completions}. */
public final class ChatCompletions {
  private final ChatService service;

  public ChatCompletions(ChatService service) {
    this.service = service;
  }

  /** Answers a request. */
  public HttpReply handle(HttpCall call) throws IOException {
    Params p = Params.of(call.body(service.limits().maxBodyBytes()));
    int n = p.integer("n", 1, service.limits().maxChoices()).orElse(1);
    boolean stream = p.flag("stream");
    boolean usage =
        p.object("stream_options").map(options -> options.flag("include_usage")).orElse(false);
    if (p.find("messages") == null) {
      throw p.missing("messages");
    }
    Turn turn = begin(call, p, n);
    String model = turn.lease().model().name();
    if (!stream) {
      try (turn) {
        return Json.ok(whole(turn, model, turn.collect(n)));
      }
    }
    turn.awaitFirst();
    return HttpReply.streamed(
        "text/event-stream",
        sink -> {
          try (turn) {
            new ChatStream(turn, sink, model, n, usage).write();
          }
        });
  }

  /** Counts the tokens of a conversation without answering it, as llama-server does. */
  public HttpReply count(HttpCall call) throws IOException {
    Params p = Params.of(call.body(service.limits().maxBodyBytes()));
    if (p.find("messages") == null) {
      throw p.missing("messages");
    }
    try (Lease<ChatEngine> lease = service.host().chat(service.host().chatModel(p.text("model")))) {
      ChatParams params = ChatRequest.read(service, lease, p);
      List<Message> messages = service.messages(p.node().get("messages"));
      return Json.ok(AnswerForm.inputTokens(lease, messages, params));
    }
  }

  private Turn begin(HttpCall call, Params p, int n) throws IOException {
    HostedModel model = service.host().chatModel(p.text("model"));
    // read first: what makes no sense loads no model
    List<Message> messages = service.messages(p.node().get("messages"));
    Lease<ChatEngine> lease = service.host().chat(model);
    try {
      ChatParams params = ChatRequest.read(service, lease, p);
      return service.begin(call, lease, messages, params.options(n));
    } catch (Throwable e) {
      lease.close();
      throw e;
    }
  }

  private static ObjectNode whole(Turn turn, String model, List<Answer> answers) {
    ObjectNode reply =
        Json.object()
            .put("id", Ids.next("chatcmpl-"))
            .put("object", "chat.completion")
            .put("created", Instant.now().getEpochSecond())
            .put("model", model);
    ArrayNode choices = reply.putArray("choices");
    for (int i = 0; i < answers.size(); i++) {
      choices.add(choice(turn, answers.get(i), i));
    }
    Answer first = answers.getFirst();
    reply.set("usage", AnswerForm.usage(answers, answers.size()));
    reply.put("system_fingerprint", "ocellus");
    reply.set("timings", AnswerForm.timings(first));
    reply.set("ocellus", AnswerForm.details(first, turn.images()));
    return reply;
  }

  private static ObjectNode choice(Turn turn, Answer answer, int index) {
    ObjectNode choice = Json.object().put("index", index);
    ObjectNode message = choice.putObject("message").put("role", "assistant");
    boolean onlyCalls = answer.content().isEmpty() && !answer.toolCalls().isEmpty();
    message.put("content", onlyCalls ? null : answer.content());
    message.putNull("refusal");
    if (!answer.reasoning().isEmpty()) {
      message.put("reasoning_content", answer.reasoning());
    }
    if (!answer.toolCalls().isEmpty()) {
      message.set("tool_calls", AnswerForm.toolCalls(answer.toolCalls()));
    }
    var logProbs = answer.parts().logProbs();
    if (logProbs.isEmpty()) {
      choice.putNull("logprobs");
    } else {
      choice.set("logprobs", AnswerForm.logProbs(logProbs, Pieces.of(turn)));
    }
    return choice.put("finish_reason", AnswerForm.finishReason(answer));
  }
}
