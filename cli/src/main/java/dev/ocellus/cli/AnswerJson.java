package dev.ocellus.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.vlm.Answer;
import dev.ocellus.vlm.GenerationOptions;
import dev.ocellus.vlm.ImageUse;
import dev.ocellus.vlm.LoadOptions;
import dev.ocellus.vlm.Timings;
import dev.ocellus.vlm.Usage;
import dev.ocellus.vlm.VisionLanguageModel;
import java.nio.file.Path;

/** An answer as JSON; docs/cli.md describes the shape, which only ever grows. */
final class AnswerJson {
  private AnswerJson() {}

  static ObjectNode of(Answer answer, VisionLanguageModel model, GenerationOptions options) {
    ObjectNode json = Json.object();
    json.put("prompt", answer.prompt());
    json.set("prompt_tokens", Json.array(answer.promptTokens()));
    json.set("tokens", Json.array(answer.tokens()));
    json.put("text", answer.text());
    json.put("stop_reason", answer.stopReason().word());
    json.put("seed", options.sampling().seed());
    Usage usage = answer.usage();
    json.putObject("usage")
        .put("prompt_tokens", usage.promptTokens())
        .put("image_tokens", usage.imageTokens())
        .put("cached_tokens", usage.cachedTokens())
        .put("completion_tokens", usage.completionTokens())
        .put("total_tokens", usage.totalTokens());
    ImageUse images = usage.images();
    json.putObject("images")
        .put("encoded", images.encoded())
        .put("from_context", images.fromContext())
        .put("from_memory_cache", images.fromMemory())
        .put("from_disk_cache", images.fromDisk());
    json.putObject("drafts")
        .put("drafted", usage.drafts().drafted())
        .put("accepted", usage.drafts().accepted());
    json.put("evicted_messages", usage.evictedMessages());
    Timings t = answer.timings();
    ObjectNode timings = json.putObject("timings");
    timings.put("load_ms", Json.millis(model.loadMillis()));
    timings.set("image_preprocess", stage(t.preprocess(), false));
    timings.set("image_encode", stage(t.encode(), false));
    timings.set("prefill", stage(t.prefill(), true));
    timings.set("decode", stage(t.decode(), true));
    json.set("model", model(model));
    return json;
  }

  private static ObjectNode stage(Timings.Stage stage, boolean speed) {
    ObjectNode json = Json.object();
    json.put("ms", Json.millis(stage.millis()));
    json.put("tokens", stage.tokens());
    if (speed) {
      json.put("tokens_per_second", Json.millis(stage.tokensPerSecond()));
    }
    return json;
  }

  private static ObjectNode model(VisionLanguageModel model) {
    LoadOptions options = model.options();
    Path mmproj = options.mmproj();
    return Json.object()
        .put("path", options.model().toString())
        .put("mmproj", mmproj == null ? null : mmproj.toString())
        .put("description", model.textModel().description());
  }
}
