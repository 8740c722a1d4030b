package dev.ocellus.server.openai;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.server.api.Json;
import dev.ocellus.server.chat.ChatParams;
import dev.ocellus.server.chat.LogProbsJson;
import dev.ocellus.server.model.ChatEngine;
import dev.ocellus.server.model.Lease;
import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.ImageReport;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.chat.StopReason;
import dev.ocellus.vlm.chat.Timings;
import dev.ocellus.vlm.chat.ToolCall;
import dev.ocellus.vlm.chat.Usage;
import dev.ocellus.vlm.json.AnswerJson;
import dev.ocellus.vlm.sampling.TopLogProbs;
import java.util.List;
import java.util.function.IntFunction;

/** Parts of answers in OpenAI's form. */
final class AnswerForm {
  private AnswerForm() {}

  /** What a conversation would count as, if it were answered. */
  static ObjectNode inputTokens(
      Lease<ChatEngine> lease, List<Message> messages, ChatParams params) {
    int n = lease.engine().model().countTokens(messages, params.promptOptions());
    return Json.object().put("object", "response.input_tokens").put("input_tokens", n);
  }

  static String finishReason(Answer answer) {
    if (!answer.toolCalls().isEmpty()) {
      return "tool_calls";
    }
    StopReason reason = answer.stopReason();
    return reason == StopReason.LENGTH || reason == StopReason.CONTEXT ? "length" : "stop";
  }

  /**
   * Tokens of all answers to one request, whose prompts count once.
   *
   * @param n answers to each prompt
   */
  static ObjectNode usage(List<Answer> answers, int n) {
    int prompt = 0;
    int cached = 0;
    int image = 0;
    for (int i = 0; i < answers.size(); i += n) {
      Usage first = answers.get(i).usage();
      prompt += first.promptTokens();
      cached += first.cachedTokens();
      image += first.imageTokens();
    }
    int completion = answers.stream().mapToInt(a -> a.usage().completionTokens()).sum();
    int reasoning = answers.stream().mapToInt(a -> a.usage().reasoningTokens()).sum();
    ObjectNode usage =
        Json.object()
            .put("prompt_tokens", prompt)
            .put("completion_tokens", completion)
            .put("total_tokens", prompt + completion);
    usage
        .putObject("prompt_tokens_details")
        .put("cached_tokens", cached)
        .put("image_tokens", image)
        .put("audio_tokens", 0);
    usage
        .putObject("completion_tokens_details")
        .put("reasoning_tokens", reasoning)
        .put("accepted_prediction_tokens", 0)
        .put("rejected_prediction_tokens", 0)
        .put("audio_tokens", 0);
    return usage;
  }

  /** As llama-server tells them. */
  static ObjectNode timings(Answer answer) {
    Timings t = answer.timings();
    return Json.object()
        .put("cache_n", answer.usage().cachedTokens())
        .put("prompt_n", t.prefill().tokens())
        .put("prompt_ms", t.prefill().millis())
        .put("prompt_per_second", t.prefill().tokensPerSecond())
        .put("predicted_n", t.decode().tokens())
        .put("predicted_ms", t.decode().millis())
        .put("predicted_per_second", t.decode().tokensPerSecond())
        .put("image_ms", t.preprocess().millis() + t.encode().millis());
  }

  /** What is Ocellus's own: what the model saw, and where the images came from. */
  static ObjectNode details(Answer answer, List<ImageReport> images) {
    ObjectNode details = Json.object();
    details.set("images", AnswerJson.images(images));
    details
        .putObject("image_use")
        .put("encoded", answer.usage().images().encoded())
        .put("from_context", answer.usage().images().fromContext())
        .put("from_memory_cache", answer.usage().images().fromMemory())
        .put("from_disk_cache", answer.usage().images().fromDisk());
    details.put("stop_reason", answer.stopReason().wireName());
    return details;
  }

  static ArrayNode toolCalls(List<ToolCall> calls) {
    ArrayNode list = Json.array();
    calls.forEach(call -> list.add(toolCall(call)));
    return list;
  }

  static ObjectNode toolCall(ToolCall call) {
    ObjectNode node = Json.object().put("id", call.id()).put("type", "function");
    node.putObject("function").put("name", call.name()).put("arguments", call.arguments());
    return node;
  }

  /** {@code {"content": [...]}}, as of chats. */
  static ObjectNode logProbs(List<TopLogProbs> tokens, IntFunction<byte[]> piece) {
    ObjectNode node = Json.object();
    node.set("content", LogProbsJson.list(tokens, piece));
    return node.putNull("refusal");
  }
}
