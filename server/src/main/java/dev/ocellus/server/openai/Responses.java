package dev.ocellus.server.openai;

import dev.ocellus.server.api.Json;
import dev.ocellus.server.api.Params;
import dev.ocellus.server.chat.ChatService;
import dev.ocellus.server.chat.Turn;
import dev.ocellus.server.http.HttpCall;
import dev.ocellus.server.http.HttpReply;
import dev.ocellus.server.model.ChatEngine;
import dev.ocellus.server.model.HostedModel;
import dev.ocellus.server.model.Lease;
import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.Message;
import java.io.IOException;
import java.util.List;

/** {@code POST /v1/responses}, for which all of a conversation has to be sent each time. */
public final class Responses {
  private final ChatService service;

  public Responses(ChatService service) {
    this.service = service;
  }

  /** Answers a request. */
  public HttpReply handle(HttpCall call) throws IOException {
    Params p = Params.of(call.body(service.limits().maxBodyBytes()));
    boolean stream = p.flag("stream");
    var input = new ResponsesInput(service, p);
    input.checkSupported();
    Turn turn = begin(call, p, input);
    var form = new ResponseForm(p, turn);
    if (!stream) {
      try (turn) {
        Answer answer = turn.collect(1).getFirst();
        return Json.ok(form.write(ResponseForm.output(answer), answer));
      }
    }
    turn.awaitFirst();
    return HttpReply.streamed(
        "text/event-stream",
        sink -> {
          try (turn) {
            new ResponseStream(turn, form, sink).write();
          }
        });
  }

  /** Counts the tokens of a request without answering it. */
  public HttpReply count(HttpCall call) throws IOException {
    Params p = Params.of(call.body(service.limits().maxBodyBytes()));
    var input = new ResponsesInput(service, p);
    input.checkSupported();
    try (Lease<ChatEngine> lease = service.host().chat(service.host().chatModel(p.text("model")))) {
      return Json.ok(AnswerForm.inputTokens(lease, input.messages(), input.params(lease)));
    }
  }

  private Turn begin(HttpCall call, Params p, ResponsesInput input) throws IOException {
    HostedModel model = service.host().chatModel(p.text("model"));
    List<Message> messages = input.messages(); // what makes no sense loads no model
    Lease<ChatEngine> lease = service.host().chat(model);
    try {
      return service.begin(call, lease, messages, input.params(lease).options(1));
    } catch (Throwable e) {
      lease.close();
      throw e;
    }
  }
}
