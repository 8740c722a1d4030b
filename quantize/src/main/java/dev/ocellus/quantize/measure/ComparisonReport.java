package dev.ocellus.quantize.measure;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What a comparison of two models found.
 *
 * @param a the reference
 * @param b the other
 * @param bytesA size of the reference
 * @param bytesB size of the other
 * @param text predictions of a text; null if none was given
 * @param chats predictions of the reference's answers; null if no conversations were given
 * @param sameAnswers conversations in which both answer the same
 * @param nChats conversations
 * @param layers what an image encoder computes, by the name of the layer, in order
 * @param images embeddings of single images
 * @param weights tensors of both files
 */
public record ComparisonReport(
    String a,
    String b,
    long bytesA,
    long bytesB,
    Divergence.@Nullable Result text,
    Divergence.@Nullable Result chats,
    int sameAnswers,
    int nChats,
    List<Named> layers,
    List<Named> images,
    List<WeightComparison.Line> weights) {

  /** An error with what it is of. */
  public record Named(String name, VectorError error) {}

  /** Everything but the single divergences. */
  public ObjectNode toJson() {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("a", a);
    json.put("b", b);
    json.put("bytes_a", bytesA);
    json.put("bytes_b", bytesB);
    if (text != null) {
      json.set("text", json(text));
    }
    if (chats != null) {
      ObjectNode node = json(chats);
      node.put("conversations", nChats);
      node.put("same_answers", sameAnswers);
      json.set("chats", node);
    }
    named(json.putArray("layers"), layers);
    named(json.putArray("images"), images);
    ObjectNode types = json.putObject("error_by_type");
    WeightComparison.byType(weights).forEach((type, e) -> types.put(type.ggmlName(), e));
    ArrayNode lines = json.putArray("weights");
    for (WeightComparison.Line line : weights) {
      ObjectNode node = lines.addObject();
      node.put("name", line.name());
      node.put("type_a", line.typeA().ggmlName());
      node.put("type_b", line.typeB().ggmlName());
      node.put("relative_error", line.error().relative());
    }
    return json;
  }

  private static void named(ArrayNode array, List<Named> errors) {
    for (Named n : errors) {
      array
          .addObject()
          .put("name", n.name())
          .put("cosine", n.error().cosine())
          .put("relative_error", n.error().relative());
    }
  }

  private static ObjectNode json(Divergence.Result r) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("tokens", r.nTokens());
    estimate(json, "kl", r.kl());
    json.put("kl_median", r.klMedian());
    ObjectNode percentiles = json.putObject("kl_percentiles");
    r.percentiles().forEach((p, value) -> percentiles.put(Double.toString(p), value));
    json.put("kl_max", r.klMax());
    estimate(json, "same_top", r.sameTop());
    estimate(json, "perplexity_a", r.perplexityA());
    estimate(json, "perplexity_b", r.perplexityB());
    estimate(json, "perplexity_ratio", r.ratio());
    estimate(json, "delta_p", r.deltaP());
    json.put("delta_p_rms", r.deltaPRms());
    return json;
  }

  private static void estimate(ObjectNode json, String name, Estimate e) {
    json.putObject(name)
        .put("value", e.value())
        .put("error", e.error())
        .putArray("interval_95")
        .add(e.value() - e.confidence95())
        .add(e.value() + e.confidence95());
  }

  /** A few lines for a terminal. */
  public String toText() {
    StringBuilder out = new StringBuilder();
    line(out, "%s (%.2f MiB)%n  against %s (%.2f MiB)", b, mib(bytesB), a, mib(bytesA));
    if (text != null) {
      divergence(out, "text", text);
    }
    if (chats != null) {
      divergence(out, "conversations", chats);
      line(out, "  same answers        %d of %d", sameAnswers, nChats);
    }
    for (Named n : layers) {
      line(
          out,
          "  %-24s cosine %.6f  relative error %.6f",
          n.name(),
          n.error().cosine(),
          n.error().relative());
    }
    for (Named n : images) {
      line(out, "  %-24s cosine %.6f", n.name(), n.error().cosine());
    }
    WeightComparison.byType(weights)
        .forEach(
            (type, e) -> line(out, "  weights in %-12s relative error %.5f", type.ggmlName(), e));
    return out.toString();
  }

  private static void divergence(StringBuilder out, String what, Divergence.Result r) {
    line(out, "%s: %d predictions", what, r.nTokens());
    line(
        out,
        "  KL divergence       %.6f ± %.6f (median %.6f, 99 %% %.6f, max %.6f)",
        r.kl().value(),
        r.kl().error(),
        r.klMedian(),
        r.percentiles().get(99.0),
        r.klMax());
    line(
        out,
        "  same top token      %.3f ± %.3f %%",
        100 * r.sameTop().value(),
        100 * r.sameTop().error());
    line(
        out,
        "  perplexity          %.4f ± %.4f, reference %.4f ± %.4f",
        r.perplexityB().value(),
        r.perplexityB().error(),
        r.perplexityA().value(),
        r.perplexityA().error());
    line(
        out,
        "  ratio               %.5f ± %.5f (95 %%: %.5f to %.5f)",
        r.ratio().value(),
        r.ratio().error(),
        r.ratio().value() - r.ratio().confidence95(),
        r.ratio().value() + r.ratio().confidence95());
  }

  @SuppressWarnings("AnnotateFormatMethod") // the annotation would be a dependency of its own
  private static void line(StringBuilder out, String format, @Nullable Object... values) {
    out.append(String.format(Locale.ROOT, format, values)).append(System.lineSeparator());
  }

  private static double mib(long bytes) {
    return bytes / 1024.0 / 1024.0;
  }
}
