package dev.ocellus.convert.model.base;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.convert.hf.HfConfig;
import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.gguf.GgufWriter;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

/**
 * Rotary positions of a configuration, in each of the ways that they have been written: {@code
 * rope_theta} and {@code rope_scaling}, or {@code rope_parameters}, for all layers or apart for
 * those with a sliding window.
 */
public final class RopeConfig {
  private final HfConfig config;
  private final @Nullable JsonNode full;
  private final OptionalDouble theta;
  private final OptionalDouble slidingTheta;

  private RopeConfig(
      HfConfig config, @Nullable JsonNode full, OptionalDouble theta, OptionalDouble slidingTheta) {
    this.config = config;
    this.full = full;
    this.theta = theta;
    this.slidingTheta = slidingTheta;
  }

  public static RopeConfig of(HfConfig config) {
    JsonNode node =
        config.find("rope_parameters") != null
            ? config.find("rope_parameters")
            : config.find("rope_scaling");
    if (node != null && !(node instanceof ObjectNode)) {
      throw config.invalid("rope_scaling", "an object", node.toString());
    }
    JsonNode full = node != null && node.has("full_attention") ? node.get("full_attention") : node;
    OptionalDouble theta = number(full, "rope_theta");
    OptionalDouble sliding =
        node == null ? OptionalDouble.empty() : number(node.get("sliding_attention"), "rope_theta");
    return new RopeConfig(
        config,
        full,
        theta.isPresent() ? theta : config.findReal("rope_theta", "global_rope_theta"),
        sliding.isPresent()
            ? sliding
            : config.findReal("rope_local_base_freq", "local_rope_theta"));
  }

  private static OptionalDouble number(@Nullable JsonNode node, String key) {
    return node != null && node.path(key).isNumber()
        ? OptionalDouble.of(node.get(key).doubleValue())
        : OptionalDouble.empty();
  }

  /** A number of the scaling, if there is one. */
  public OptionalDouble find(String key) {
    return number(full, key);
  }

  /** A list of the scaling, if there is one. */
  public Optional<float[]> findFloats(String key) {
    if (full == null || !full.path(key).isArray()) {
      return Optional.empty();
    }
    JsonNode list = full.get(key);
    float[] out = new float[list.size()];
    for (int i = 0; i < out.length; i++) {
      out[i] = (float) list.get(i).doubleValue();
    }
    return Optional.of(out);
  }

  /** The base, with the class's default. */
  public double theta() {
    return theta.orElse(10000);
  }

  /** The kind of scaling, or an empty string. */
  public String type() {
    if (full == null) {
      return "";
    }
    String type = full.path("rope_type").asText(full.path("type").asText(""));
    return type.toLowerCase(Locale.ROOT);
  }

  private double required(String key) {
    return find(key)
        .orElseThrow(() -> config.missing("rope_scaling." + key, "a number for type " + type()));
  }

  /** Positions of the training before it was made longer. */
  private double originalContext() {
    return find("original_max_position_embeddings")
        .orElseGet(() ->
            config
                .findReal("original_max_position_embeddings", "max_position_embeddings")
                .orElseGet(() -> required("original_max_position_embeddings")));
  }

  public void write(GgufWriter out, String a, Context context) {
    scaling(out, a, context);
    int[] sections = sections();
    if (sections.length > 0) {
      out.ints(a + ".rope.dimension_sections", sections);
    }
    out.f32(a + ".rope.freq_base", (float) theta());
    slidingTheta.ifPresent(t -> out.f32(a + ".rope.freq_base_swa", (float) t));
  }

  /** Whether it is said which pairs turn with which axis of the position. */
  public boolean hasSections() {
    return sections().length > 0;
  }

  /** Turned pairs for time, height, width and a fourth axis that nobody uses. */
  public int[] sections() {
    if (full == null) {
      return new int[0];
    }
    JsonNode list = full.path("mrope_section");
    if (!list.isArray()) {
      list = full.path("xdrope_section");
    }
    if (!list.isArray()) {
      return new int[0];
    }
    int[] out = new int[4];
    for (int i = 0; i < Math.min(4, list.size()); i++) {
      out[i] = list.get(i).asInt();
    }
    return out;
  }

  private void scaling(GgufWriter out, String a, Context context) {
    switch (type()) {
      case "", "default", "mrope", "llama3" -> {} // llama3's factors are a tensor
      case "xdrope" -> {} // HunYuan-VL writes it
      case "linear" -> {
        out.string(a + ".rope.scaling.type", "linear");
        out.f32(a + ".rope.scaling.factor", (float) required("factor"));
      }
      case "yarn" -> yarn(out, a);
      case "su", "longrope" -> out.string(a + ".rope.scaling.type", "longrope");
      case "dynamic" -> {
        if (find("alpha").isEmpty()) {
          context.warn(
              "rope_scaling of type 'dynamic' is left out, as llama.cpp has none; nothing changes below %s tokens"
                  .formatted(config.integerOr("max_position_embeddings", 0)));
        }
      }
      default ->
          throw config.invalid(
              "rope_scaling.rope_type",
              "one of default, mrope, xdrope, linear, yarn, llama3, longrope, su, dynamic",
              "'" + type() + "'");
    }
  }

  private void yarn(GgufWriter out, String a) {
    double original = originalContext();
    double factor =
        find("factor")
            .orElseGet(() ->
                config.findReal("max_position_embeddings").orElseGet(() -> required("factor"))
                    / original);
    if (full != null && !full.path("truncate").asBoolean(true)) {
      throw config.invalid(
          "rope_scaling.truncate", "true, as llama.cpp rounds the ends of the range", "false");
    }
    out.string(a + ".rope.scaling.type", "yarn");
    out.f32(a + ".rope.scaling.factor", (float) factor);
    out.u32(a + ".rope.scaling.original_context_length", (long) original);
    double ratio = magnitude(factor) / usualMagnitude(factor, a);
    if (Math.abs(ratio - 1) > 1e-6) {
      out.f32(a + ".rope.scaling.attn_factor", (float) ratio);
    }
    optional(out, a + ".rope.scaling.yarn_ext_factor", find("extrapolation_factor"));
    OptionalDouble attention = find("attention_factor");
    optional(
        out,
        a + ".rope.scaling.yarn_attn_factor",
        attention.isPresent() ? attention : find("attn_factor"));
    optional(out, a + ".rope.scaling.yarn_beta_fast", find("beta_fast"));
    optional(out, a + ".rope.scaling.yarn_beta_slow", find("beta_slow"));
  }

  /**
   * What cosines and sines are multiplied by.
   *
   * <p>Source: {@code _compute_yarn_parameters} of <a
   * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/modeling_rope_utils.py">transformers</a>.
   */
  private double magnitude(double factor) {
    double mscale = find("mscale").orElse(0);
    double ofAll = find("mscale_all_dim").orElse(0);
    boolean both = mscale != 0 && ofAll != 0;
    return find("attention_factor")
        .orElse(both ? magnitude(factor, mscale) / magnitude(factor, ofAll) : magnitude(factor, 1));
  }

  private static double magnitude(double factor, double scale) {
    return factor <= 1 ? 1 : 0.1 * scale * Math.log(factor) + 1;
  }

  /**
   * What llama.cpp multiplies them by, whatever {@code yarn_attn_factor} is; of Mistral 3 it knows
   * {@code mscale_all_dim}.
   */
  private double usualMagnitude(double factor, String a) {
    double ofAll =
        a.equals("mistral3") || a.equals("deepseek2") ? find("mscale_all_dim").orElse(0) : 0;
    return magnitude(factor, 1) / (ofAll == 0 ? 1 : magnitude(factor, ofAll));
  }

  private static void optional(GgufWriter out, String key, OptionalDouble value) {
    value.ifPresent(v -> out.f32(key, (float) v));
  }

  /** Whether frequencies are divided by other numbers in long texts than in short ones. */
  public boolean isLong() {
    return type().equals("longrope") || type().equals("su");
  }

  /**
   * What frequencies are divided by in long and in short texts; nothing where the configuration has
   * no lists.
   *
   * @param rotated numbers of a head that are turned
   */
  public List<TargetTensor> longAndShort(int rotated) {
    float[] longs = findFloats("long_factor").orElse(null);
    if (longs == null) {
      return List.of();
    }
    float[] shorts =
        findFloats("short_factor")
            .orElseThrow(() -> config.missing("rope_scaling.short_factor", "a list"));
    if (longs.length != rotated / 2 || shorts.length != rotated / 2) {
      throw config.invalid(
          "rope_scaling.long_factor",
          "two lists of " + rotated / 2,
          longs.length + " and " + shorts.length);
    }
    return List.of(
        new TargetTensor("rope_factors_long.weight", LazyTensor.of("long_factor", longs)),
        new TargetTensor("rope_factors_short.weight", LazyTensor.of("short_factor", shorts)));
  }

  /** Where short texts end, and what cosines and sines of long ones are multiplied by. */
  public void writeLong(GgufWriter out, String a) {
    double original = originalContext();
    double factor =
        find("factor")
            .orElseGet(
                () -> config.findReal("max_position_embeddings").orElse(original) / original);
    double usual = factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(original));
    double attention = find("attention_factor").orElse(usual);
    out.u32(a + ".rope.scaling.original_context_length", (long) original);
    if (attention != 1) {
      out.f32(a + ".rope.scaling.attn_factor", (float) attention);
    }
  }

  /**
   * The factors that Llama 3.1 divides its frequencies by: none for short waves, {@code factor} for
   * long ones, and a smooth passage between.
   *
   * <p>Source: {@code _compute_llama3_parameters} of <a
   * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/modeling_rope_utils.py">transformers</a>.
   */
  public Optional<TargetTensor> factors(int headDim) {
    if (!type().equals("llama3")) {
      return Optional.empty();
    }
    double factor = find("factor").orElse(8);
    double low = find("low_freq_factor").orElse(1);
    double high = find("high_freq_factor").orElse(4);
    double context = find("original_max_position_embeddings").orElse(8192);
    float[] out = new float[headDim / 2];
    for (int i = 0; i < out.length; i++) {
      float frequency = 1 / (float) Math.pow(theta(), (float) (2 * i) / headDim);
      float wave = (float) (2 * Math.PI) / frequency;
      if (wave < context / high) {
        out[i] = 1;
      } else if (wave > context / low) {
        out[i] = (float) factor;
      } else {
        float smooth = ((float) context / wave - (float) low) / (float) (high - low);
        out[i] = 1 / ((1 - smooth) / (float) factor + smooth);
      }
    }
    return Optional.of(new TargetTensor("rope_freqs.weight", LazyTensor.of("rope_freqs", out)));
  }
}
