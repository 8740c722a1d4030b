package dev.ocellus.server.openai;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.server.api.ApiException;
import dev.ocellus.server.api.ErrorForm;
import dev.ocellus.server.api.EventStream;
import dev.ocellus.server.api.Ids;
import dev.ocellus.server.api.Json;
import dev.ocellus.server.api.TextFrame;
import dev.ocellus.server.chat.Pieces;
import dev.ocellus.server.chat.Turn;
import dev.ocellus.server.http.HttpReply;
import dev.ocellus.server.model.Event;
import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.sampling.TopLogProbs;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Chat completions, piece by piece. */
final class ChatStream {
  private final Turn turn;
  private final EventStream out;
  private final String id = Ids.next("chatcmpl-");
  private final long created = Instant.now().getEpochSecond();
  private final String model;
  private final boolean usage;
  private final Answer[] answers;
  private final int[] nCalls;
  private final @Nullable TextFrame[] frames;
  private final List<List<TopLogProbs>> unsentLogProbs = new ArrayList<>();

  ChatStream(Turn turn, HttpReply.Sink sink, String model, int n, boolean usage) {
    this.turn = turn;
    this.out = new EventStream(sink);
    this.model = model;
    this.usage = usage;
    this.answers = new Answer[n];
    this.nCalls = new int[n];
    this.frames = new TextFrame[n];
    for (int i = 0; i < n; i++) {
      unsentLogProbs.add(new ArrayList<>());
    }
  }

  void write() throws IOException {
    try {
      for (int i = 0; i < answers.length; i++) {
        ObjectNode begin = Json.object().put("role", "assistant").put("content", "");
        out.data(chunk(i, begin, null));
      }
      while (!turn.isFinished()) {
        Event event = turn.next();
        if (event == null) {
          out.ping();
        } else {
          write(event);
        }
      }
      if (usage) {
        ObjectNode last = chunk();
        last.putArray("choices");
        last.set("usage", AnswerForm.usage(Arrays.asList(answers), answers.length));
        out.data(last);
      }
      out.data("[DONE]");
    } catch (ApiException e) {
      out.data(ErrorForm.OPENAI.write(e));
    }
  }

  private void write(Event event) throws IOException {
    int i = event.choice();
    switch (event) {
      case Event.Text(int choice, String text) -> {
        if (unsentLogProbs.get(i).isEmpty()) {
          out.data(frame(i).with(text));
        } else {
          out.data(chunk(i, Json.object().put("content", text), null));
        }
      }
      case Event.Reasoning(int choice, String text) ->
          out.data(chunk(i, Json.object().put("reasoning_content", text), null));
      case Event.Call call -> {
        ObjectNode delta = Json.object();
        ObjectNode made = AnswerForm.toolCall(call.call());
        made.put("index", nCalls[i]++);
        delta.putArray("tool_calls").add(made);
        out.data(chunk(i, delta, null));
      }
      case Event.LogProbs token -> unsentLogProbs.get(i).add(token.token());
      case Event.Done done -> {
        answers[i] = done.answer();
        ObjectNode end = chunk(i, Json.object(), AnswerForm.finishReason(done.answer()));
        end.set("timings", AnswerForm.timings(done.answer()));
        end.set("ocellus", AnswerForm.details(done.answer(), turn.images()));
        out.data(end);
      }
      case Event.Image image -> {}
      case Event.Prompt prompt -> {}
      case Event.Failed failed -> {}
    }
  }

  /** Most pieces differ in their text only. */
  private TextFrame frame(int i) {
    TextFrame known = frames[i];
    if (known == null) {
      known = new TextFrame(text -> chunk(i, Json.object().put("content", text), null));
      frames[i] = known;
    }
    return known;
  }

  private ObjectNode chunk() {
    return Json.object()
        .put("id", id)
        .put("object", "chat.completion.chunk")
        .put("created", created)
        .put("model", model)
        .put("system_fingerprint", "ocellus");
  }

  /**
   * A chunk of an answer; where the last one is to tell the usage, the others say that it comes.
   */
  private ObjectNode choices() {
    ObjectNode chunk = chunk();
    return usage ? chunk.putNull("usage") : chunk;
  }

  /** With the log probabilities of the tokens that the text came from. */
  private ObjectNode chunk(int i, ObjectNode delta, @Nullable String finish) {
    ObjectNode chunk = choices();
    ObjectNode choice = chunk.putArray("choices").addObject().put("index", i);
    choice.set("delta", delta);
    List<TopLogProbs> tokens = unsentLogProbs.get(i);
    if (tokens.isEmpty()) {
      choice.putNull("logprobs");
    } else {
      choice.set("logprobs", AnswerForm.logProbs(tokens, Pieces.of(turn)));
      tokens.clear();
    }
    choice.put("finish_reason", finish);
    return chunk;
  }
}
