package dev.ocellus.vlm.json;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.ImageReport;
import dev.ocellus.vlm.chat.ImageUse;
import dev.ocellus.vlm.chat.Timings;
import dev.ocellus.vlm.chat.ToolCall;
import dev.ocellus.vlm.chat.Usage;
import dev.ocellus.vlm.decode.TextDecoder;
import dev.ocellus.vlm.grounding.Region;
import dev.ocellus.vlm.grounding.TaskResult;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.options.LoadOptions;
import dev.ocellus.vlm.sampling.TopLogProbs;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/** An answer as JSON; docs/cli.md describes the shape, which only ever grows. */
public final class AnswerJson {
  private AnswerJson() {}

  /**
   * @param options that it was generated with
   * @param loaded of the model that answered
   * @param model that answered
   * @param loadMillis time that loading it took
   */
  public static ObjectNode of(
      Answer answer,
      GenerationOptions options,
      LoadOptions loaded,
      TextDecoder model,
      double loadMillis) {
    var answering =
        new Model(
            loaded.model(),
            loaded.mmproj(),
            model.description(),
            token -> model.vocab().piece(token, true));
    return of(answer, options, answering, loadMillis);
  }

  /**
   * The model that answered.
   *
   * @param mmproj null where it has none
   * @param description one line for people
   * @param piece the bytes that a token stands for
   */
  public record Model(
      Path path, @Nullable Path mmproj, String description, IntFunction<byte[]> piece) {}

  /**
   * @param options that it was generated with
   * @param model that answered
   * @param loadMillis time that loading it took
   */
  public static ObjectNode of(
      Answer answer, GenerationOptions options, Model model, double loadMillis) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("prompt", answer.prompt());
    json.set("prompt_tokens", ids(answer.promptTokens()));
    json.set("tokens", ids(answer.tokens()));
    json.put("text", answer.rawText());
    json.put("content", answer.content());
    json.put("reasoning", answer.reasoning());
    ArrayNode calls = json.putArray("tool_calls");
    for (ToolCall call : answer.toolCalls()) {
      ObjectNode function =
          calls.addObject().put("id", call.id()).put("type", "function").putObject("function");
      function.put("name", call.name()).put("arguments", call.arguments());
    }
    if (!answer.parts().logProbs().isEmpty()) {
      json.set("logprobs", logProbs(answer, model));
    }
    json.put("stop_reason", answer.stopReason().wireName());
    json.put("seed", options.sampling().seed());
    Usage usage = answer.usage();
    json.putObject("usage")
        .put("prompt_tokens", usage.promptTokens())
        .put("image_tokens", usage.imageTokens())
        .put("cached_tokens", usage.cachedTokens())
        .put("completion_tokens", usage.completionTokens())
        .put("reasoning_tokens", usage.reasoningTokens())
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
    timings.put("load_ms", millis(loadMillis));
    timings.set("image_preprocess", stage(t.preprocess(), false));
    timings.set("image_encode", stage(t.encode(), false));
    timings.set("prefill", stage(t.prefill(), true));
    timings.set("decode", stage(t.decode(), true));
    json.set("model", json(model));
    return json;
  }

  /** What the model saw of each image, in the order of the conversation. */
  public static ArrayNode images(List<ImageReport> reports) {
    ArrayNode all = JsonNodeFactory.instance.arrayNode();
    reports.forEach(report -> all.add(image(report)));
    return all;
  }

  /** What the model saw of an image. */
  public static ObjectNode image(ImageReport r) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    size(json.putArray("size"), r.size());
    json.put("tokens", r.tokens());
    json.put("tiles", r.tiles().size());
    json.putArray("grid").add(r.gridX()).add(r.gridY());
    ArrayNode sizes = json.putArray("tile_sizes");
    r.tiles().forEach(tile -> size(sizes.addArray(), tile));
    json.put("fit", r.fit().kind().name().toLowerCase(Locale.ROOT));
    json.put("horizontal", r.fit().horizontal());
    json.put("vertical", r.fit().vertical());
    return json;
  }

  /** Regions that an answer names, in pixels of the image. */
  public static ArrayNode regions(List<Region> regions) {
    ArrayNode all = JsonNodeFactory.instance.arrayNode();
    for (Region r : regions) {
      ObjectNode json = all.addObject();
      json.put("kind", r.kind().name().toLowerCase(Locale.ROOT)).put("label", r.label());
      ArrayNode points = json.putArray("points");
      r.points().forEach(p -> points.addArray().add(p.x()).add(p.y()));
    }
    return all;
  }

  /** What an answer to a task says, as the reference's processor gives it. */
  public static ObjectNode taskResult(TaskResult result) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    String name = "<" + result.task() + ">";
    if (result.form() == TaskResult.Form.TEXT) {
      return json.put(name, result.text());
    }
    ObjectNode to = json.putObject(name);
    switch (result.form()) {
      case QUADS -> found(to, "quad_boxes", "labels", result, Region.Kind.POLYGON, false);
      case POLYGONS -> found(to, "polygons", "labels", result, Region.Kind.POLYGON, true);
      case BOXES_OR_POLYGONS -> {
        found(to, "bboxes", "bboxes_labels", result, Region.Kind.BOX, false);
        found(to, "polygons", "polygons_labels", result, Region.Kind.POLYGON, true);
      }
      default -> found(to, "bboxes", "labels", result, Region.Kind.BOX, false);
    }
    return json;
  }

  private static void found(
      ObjectNode to,
      String shapes,
      String labels,
      TaskResult result,
      Region.Kind kind,
      boolean several) {
    ArrayNode all = to.putArray(shapes);
    ArrayNode names = to.putArray(labels);
    for (TaskResult.Found found : result.objects()) {
      if (found.kind() == kind) {
        ArrayNode of = several ? all.addArray() : all;
        for (List<Region.Pixel> shape : found.shapes()) {
          ArrayNode numbers = of.addArray();
          shape.forEach(p -> numbers.add(p.x()).add(p.y()));
        }
        names.add(found.label());
      }
    }
  }

  private static void size(ArrayNode to, ImageSize size) {
    to.add(size.width()).add(size.height());
  }

  private static ArrayNode ids(int[] tokens) {
    ArrayNode array = JsonNodeFactory.instance.arrayNode(tokens.length);
    for (int token : tokens) {
      array.add(token);
    }
    return array;
  }

  /** With the microseconds that a clock is good for. */
  private static double millis(double millis) {
    return Math.round(millis * 1000) / 1000.0;
  }

  private static ArrayNode logProbs(Answer answer, Model model) {
    ArrayNode all = JsonNodeFactory.instance.arrayNode();
    for (TopLogProbs token : answer.parts().logProbs()) {
      ObjectNode entry = entry(token.chosen(), model);
      ArrayNode top = entry.putArray("top");
      token.top().forEach(likely -> top.add(entry(likely, model)));
      all.add(entry);
    }
    return all;
  }

  private static ObjectNode entry(TopLogProbs.Entry token, Model model) {
    byte[] bytes = model.piece.apply(token.token());
    ObjectNode json = JsonNodeFactory.instance.objectNode().put("id", token.token());
    json.put("token", new String(bytes, StandardCharsets.UTF_8));
    if (Float.isFinite(token.logProb())) {
      json.put("logprob", token.logProb());
    } else {
      json.putNull("logprob"); // masked: JSON has no infinity
    }
    return json;
  }

  private static ObjectNode stage(Timings.Stage stage, boolean speed) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("ms", millis(stage.millis()));
    json.put("tokens", stage.tokens());
    if (speed) {
      json.put("tokens_per_second", millis(stage.tokensPerSecond()));
    }
    return json;
  }

  private static ObjectNode json(Model model) {
    Path mmproj = model.mmproj;
    return JsonNodeFactory.instance
        .objectNode()
        .put("path", model.path.toString())
        .put("mmproj", mmproj == null ? null : mmproj.toString())
        .put("description", model.description);
  }
}
