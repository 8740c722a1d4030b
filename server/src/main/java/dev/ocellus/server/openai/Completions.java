package dev.ocellus.server.openai;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.server.api.ApiException;
import dev.ocellus.server.api.ErrorForm;
import dev.ocellus.server.api.EventStream;
import dev.ocellus.server.api.Ids;
import dev.ocellus.server.api.Json;
import dev.ocellus.server.api.Params;
import dev.ocellus.server.chat.ChatParams;
import dev.ocellus.server.chat.ChatService;
import dev.ocellus.server.chat.LogProbsJson;
import dev.ocellus.server.chat.Pieces;
import dev.ocellus.server.chat.Turn;
import dev.ocellus.server.http.HttpCall;
import dev.ocellus.server.http.HttpReply;
import dev.ocellus.server.model.ChatEngine;
import dev.ocellus.server.model.Event;
import dev.ocellus.server.model.Lease;
import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.sampling.TopLogProbs;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * {@code POST /v1/completions}: goes on with a text, without a chat template. Nothing in the text
 * becomes a control token.
 */
public final class Completions {
  private static final int MAX_LOG_PROBS = 20;
  private static final int MAX_PROMPTS = 64;

  private final ChatService service;

  public Completions(ChatService service) {
    this.service = service;
  }

  /** Answers a request. */
  public HttpReply handle(HttpCall call) throws IOException {
    Params p = Params.of(call.body(service.limits().maxBodyBytes()));
    List<String> prompts = prompts(p);
    int n = p.integer("n", 1, service.limits().maxChoices()).orElse(1);
    if (p.text("suffix").filter(text -> !text.isEmpty()).isPresent()) {
      throw ApiException.unsupported(
          "suffix", "suffix: texts are not filled in here, only continued");
    }
    boolean echo = p.flag("echo");
    boolean stream = p.flag("stream");
    boolean usage =
        p.object("stream_options").map(options -> options.flag("include_usage")).orElse(false);
    var choices = new Choices(echo ? prompts : List.of(), prompts.size(), n);
    Turn turn = begin(call, p, prompts, n);
    if (!stream) {
      try (turn) {
        return Json.ok(whole(turn, turn.collect(choices.size()), choices));
      }
    }
    turn.awaitFirst();
    return HttpReply.streamed(
        "text/event-stream",
        sink -> {
          try (turn) {
            stream(turn, new EventStream(sink), choices, usage);
          }
        });
  }

  /**
   * The answers to a request, those to the first prompt first.
   *
   * @param echoed prompts that stand in front of their answers, if any
   * @param n answers to each prompt
   */
  private record Choices(List<String> echoed, int nPrompts, int n) {
    int size() {
      return nPrompts * n;
    }

    String echo(int choice) {
      return echoed.isEmpty() ? "" : echoed.get(choice / n);
    }
  }

  private static List<String> prompts(Params p) {
    if (!p.has("prompt")) {
      throw p.missing("prompt");
    }
    List<String> prompts = p.texts("prompt", MAX_PROMPTS);
    if (prompts.isEmpty() || prompts.stream().anyMatch(String::isEmpty)) {
      throw ApiException.invalid("prompt", "prompt: expected a text, found an empty one");
    }
    return prompts;
  }

  private Turn begin(HttpCall call, Params p, List<String> prompts, int n) {
    Lease<ChatEngine> lease = service.host().chat(service.host().chatModel(p.text("model")));
    try {
      ChatParams params = service.params(lease).sampling(p).plain();
      params.logitBias(p, lease.engine().model().pipeline().decoder().vocab().nTokens());
      params.maxTokens(OptionalInt.of(p.integer("max_tokens", -1, Integer.MAX_VALUE).orElse(16)));
      params.stop(p, "stop");
      p.integer("logprobs", 0, MAX_LOG_PROBS).ifPresent(params::logProbs);
      p.text("grammar").filter(text -> !text.isEmpty()).ifPresent(params::grammar);
      p.object("response_format").ifPresent(f -> ChatRequest.responseFormat(params, f));
      ChatRequest.extras(params, p);
      List<GenerationOptions> options = params.options(n);
      List<List<Message>> conversations =
          prompts.stream().map(text -> List.of(Message.user(text))).toList();
      return service.beginAll(call, lease, conversations, options);
    } catch (Throwable e) {
      lease.close();
      throw e;
    }
  }

  private static ObjectNode around(Turn turn, String id) {
    return Json.object()
        .put("id", id)
        .put("object", "text_completion")
        .put("created", Instant.now().getEpochSecond())
        .put("model", turn.lease().model().name());
  }

  private static ObjectNode whole(Turn turn, List<Answer> answers, Choices choices) {
    ObjectNode reply = around(turn, Ids.next("cmpl-"));
    ArrayNode list = reply.putArray("choices");
    for (int i = 0; i < answers.size(); i++) {
      Answer answer = answers.get(i);
      ObjectNode choice = list.addObject().put("index", i);
      choice.put("text", choices.echo(i) + answer.rawText());
      choice.set("logprobs", logProbs(turn, answer.parts().logProbs()));
      choice.put("finish_reason", AnswerForm.finishReason(answer));
    }
    reply.set("usage", AnswerForm.usage(answers, choices.n));
    reply.set("timings", AnswerForm.timings(answers.getFirst()));
    return reply;
  }

  private static void stream(Turn turn, EventStream out, Choices choices, boolean usage)
      throws IOException {
    String id = Ids.next("cmpl-");
    Answer[] answers = new Answer[choices.size()];
    try {
      for (int i = 0; i < answers.length && !choices.echoed.isEmpty(); i++) {
        out.data(chunk(turn, id, i, choices.echo(i), null));
      }
      while (!turn.isFinished()) {
        switch (turn.next()) {
          case null -> out.ping();
          case Event.Text(int i, String text) -> out.data(chunk(turn, id, i, text, null));
          case Event.Reasoning(int i, String text) -> out.data(chunk(turn, id, i, text, null));
          case Event.Done(int i, Answer answer) -> {
            answers[i] = answer;
            ObjectNode end = chunk(turn, id, i, "", AnswerForm.finishReason(answer));
            ((ObjectNode) end.path("choices").path(0))
                .set("logprobs", logProbs(turn, answer.parts().logProbs()));
            out.data(end);
          }
          default -> {}
        }
      }
      if (usage) {
        ObjectNode last = around(turn, id);
        last.putArray("choices");
        last.set("usage", AnswerForm.usage(Arrays.asList(answers), choices.n));
        out.data(last);
      }
      out.data("[DONE]");
    } catch (ApiException e) {
      out.data(ErrorForm.OPENAI.write(e));
    }
  }

  private static ObjectNode chunk(
      Turn turn, String id, int i, String text, @Nullable String finish) {
    ObjectNode chunk = around(turn, id);
    ObjectNode choice = chunk.putArray("choices").addObject().put("index", i).put("text", text);
    choice.putNull("logprobs");
    choice.put("finish_reason", finish);
    return chunk;
  }

  /** The form of completions, which is older than that of chats; null where none were asked for. */
  private static JsonNode logProbs(Turn turn, List<TopLogProbs> tokens) {
    if (tokens.isEmpty()) {
      return Json.object().nullNode();
    }
    var piece = Pieces.of(turn);
    ObjectNode node = Json.object();
    ArrayNode texts = node.putArray("tokens");
    ArrayNode values = node.putArray("token_logprobs");
    ArrayNode tops = node.putArray("top_logprobs");
    ArrayNode offsets = node.putArray("text_offset");
    int at = 0;
    for (TopLogProbs token : tokens) {
      String text = new String(piece.apply(token.chosen().token()), StandardCharsets.UTF_8);
      texts.add(text);
      values.add(LogProbsJson.number(token.chosen()));
      ObjectNode top = tops.addObject();
      token
          .top()
          .forEach(likely ->
              top.put(
                  new String(piece.apply(likely.token()), StandardCharsets.UTF_8),
                  LogProbsJson.number(likely)));
      offsets.add(at);
      at += text.length();
    }
    return node;
  }
}
