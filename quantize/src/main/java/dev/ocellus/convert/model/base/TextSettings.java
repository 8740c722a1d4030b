package dev.ocellus.convert.model.base;

import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.convert.hf.HfConfig;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What libllama's graph of each text architecture computes of that which checkpoints may choose.
 * What it would leave out silently, or what its loader refuses, is refused when a checkpoint is
 * converted, with the setting that asks for it.
 *
 * <p>Source: the loaders and graphs in {@code src/models} of llama.cpp v0.4.0; which settings count
 * is said by the classes of transformers 5.18.
 *
 * @param activation of the feed-forward blocks
 * @param biases tensors of a block, and behind the last one, that may have a bias
 * @param headNorms whether queries and keys are normed, or may be
 * @param scalings how positions may be scaled, beside not at all
 * @param rotatesPart whether the part of a head that is turned may be chosen
 */
record TextSettings(
    Activation activation,
    Set<String> biases,
    boolean headNorms,
    Set<String> scalings,
    boolean rotatesPart) {

  /** Activations as configurations name them. */
  enum Activation {
    SILU("hidden_act", "silu", "swish"),
    /** The class takes the older name for the tanh form. */
    GELU("hidden_act", "gelu_pytorch_tanh", "gelu"),
    GELU_TANH("hidden_activation", "gelu_pytorch_tanh"),
    /** The class has one only. */
    FIXED("");

    private final String key;
    private final List<String> names;

    Activation(String key, String... names) {
      this.key = key;
      this.names = List.of(names);
    }

    private void check(HfConfig config) {
      if (names.isEmpty()) {
        return;
      }
      String name = config.findString(key).orElse(names.getFirst());
      if (!names.contains(name)) {
        throw config.invalid(key, names.getFirst() + ", as llama.cpp takes it", "'" + name + "'");
      }
    }
  }

  private static final Set<String> INPUTS = Set.of("attn_q", "attn_k", "attn_v", "attn_qkv");
  private static final Set<String> FEED_FORWARD = Set.of("ffn_gate", "ffn_up", "ffn_down");
  private static final Set<String> WITH_OUTPUT = join(INPUTS, Set.of("attn_output"));
  private static final Set<String> ALL = join(WITH_OUTPUT, FEED_FORWARD);
  private static final Set<String> WITH_HEAD = join(INPUTS, Set.of("output"));
  private static final Set<String> ROUTING = Set.of("exp_probs_b");
  private static final Set<String> NONE = Set.of();

  /** Scalings that need nothing but numbers in the file. */
  private static final Set<String> NUMBERS =
      Set.of("default", "mrope", "xdrope", "linear", "yarn", "dynamic");

  private static final Set<String> EVERY = join(NUMBERS, Set.of("llama3", "longrope", "su"));

  /** Scalings by which the reference turns a part of a head, where a configuration says so. */
  private static final Set<String> TAKE_PARTS =
      Set.of("linear", "yarn", "dynamic", "llama3", "longrope", "su");

  private static final TextSettings LLAMA = silu(ALL, false, EVERY);
  private static final TextSettings QWEN2 = silu(WITH_HEAD, false, NUMBERS);
  private static final TextSettings QWEN3 = silu(INPUTS, true, NUMBERS);
  private static final TextSettings QWEN35 = silu(Set.of("ssm_dt"), true, NUMBERS).withParts();

  /** By the name of the architecture in GGUF files; those of our own graphs check themselves. */
  private static final Map<String, TextSettings> KNOWN =
      Map.ofEntries(
          Map.entry("llama", LLAMA),
          Map.entry("granite", LLAMA),
          Map.entry("mistral3", LLAMA),
          Map.entry("smollm3", silu(INPUTS, false, NUMBERS)),
          Map.entry("llama4", silu(WITH_OUTPUT, false, EVERY)),
          Map.entry("qwen", new TextSettings(Activation.FIXED, INPUTS, false, NUMBERS, false)),
          Map.entry("qwen2", QWEN2),
          Map.entry("qwen2vl", QWEN2),
          Map.entry("qwen3", QWEN3),
          Map.entry("qwen3moe", QWEN3),
          Map.entry("qwen3vl", QWEN3),
          Map.entry("qwen3vlmoe", QWEN3),
          Map.entry("qwen35", QWEN35),
          Map.entry("qwen35moe", QWEN35),
          Map.entry("gemma", gemma(Activation.GELU, false, Set.of("default", "dynamic"))),
          Map.entry("gemma2", gemma(Activation.GELU_TANH, false, Set.of("default", "dynamic"))),
          Map.entry(
              "gemma3", gemma(Activation.GELU_TANH, true, Set.of("default", "linear", "dynamic"))),
          Map.entry(
              "gemma4", gemma(Activation.GELU_TANH, true, Set.of("proportional")).withParts()),
          Map.entry("glm4", silu(INPUTS, false, NUMBERS).withParts()),
          Map.entry("glm4moe", silu(join(INPUTS, ROUTING), true, NUMBERS).withParts()),
          Map.entry("deepseek2", silu(ROUTING, false, NUMBERS)),
          Map.entry("deepseek2-ocr", silu(ROUTING, false, NUMBERS)),
          Map.entry("hunyuan_vl", silu(INPUTS, true, NUMBERS)),
          Map.entry("paddleocr", silu(WITH_OUTPUT, false, NUMBERS)),
          Map.entry("phi3", silu(WITH_HEAD, false, Set.of("longrope", "su", "yarn")).withParts()),
          Map.entry("internlm2", silu(INPUTS, false, NUMBERS)),
          Map.entry("lfm2", new TextSettings(Activation.FIXED, INPUTS, true, NUMBERS, false)));

  private static final Pattern BIAS = Pattern.compile("(?:blk\\.\\d+\\.)?(.+)\\.bias");
  private static final Pattern HEAD_NORM = Pattern.compile("blk\\.\\d+\\.attn_[qk]_norm\\.weight");

  private static Set<String> join(Set<String> a, Set<String> b) {
    return Stream.concat(a.stream(), b.stream()).collect(Collectors.toUnmodifiableSet());
  }

  private static TextSettings silu(Set<String> biases, boolean headNorms, Set<String> scalings) {
    return new TextSettings(Activation.SILU, biases, headNorms, scalings, false);
  }

  private static TextSettings gemma(Activation act, boolean headNorms, Set<String> scalings) {
    return new TextSettings(act, NONE, headNorms, scalings, false);
  }

  private TextSettings withParts() {
    return new TextSettings(activation, biases, headNorms, scalings, true);
  }

  /** The settings of an architecture. */
  static TextSettings of(String architecture) {
    TextSettings settings = KNOWN.get(architecture);
    if (settings == null) {
      throw new IllegalStateException("TextSettings has no line for " + architecture);
    }
    return settings;
  }

  /**
   * Checks a configuration.
   *
   * @throws ConversionException for what libllama does not compute
   */
  void check(TextModel model) {
    activation.check(model.config);
    scaling(model);
  }

  /** Checks which tensors there are. */
  void check(TextModel model, List<TargetTensor> tensors) {
    for (TargetTensor tensor : tensors) {
      Matcher bias = BIAS.matcher(tensor.name());
      if (bias.matches() && !biases.contains(bias.group(1))) {
        throw unknownToGraph(model, tensor, "adds no bias there", setting(bias.group(1)));
      }
      if (!headNorms && HEAD_NORM.matcher(tensor.name()).matches()) {
        throw unknownToGraph(model, tensor, "norms no queries and keys", "use_qk_norm");
      }
    }
  }

  private static String setting(String stem) {
    return stem.startsWith("ffn") ? "mlp_bias" : "attention_bias";
  }

  private static ConversionException unknownToGraph(
      TextModel model, TargetTensor tensor, String why, String setting) {
    return new ConversionException(
        "%s: tensor '%s': llama.cpp's graph of '%s' %s (%s). The text model cannot be computed with it."
            .formatted(
                model.context.folder().directory(),
                tensor.data().name(),
                model.architecture(),
                why,
                setting));
  }

  private void scaling(TextModel model) {
    String type = model.rope.type();
    if (!type.isEmpty() && !type.equals("default") && !scalings.contains(type)) {
      throw model.config.invalid(
          "rope_scaling.rope_type",
          "one of %s, which llama.cpp computes for '%s'"
              .formatted(scalings.stream().sorted().toList(), model.architecture()),
          "'" + type + "'");
    }
    double part =
        model
            .rope
            .find("partial_rotary_factor")
            .orElse(model.config.findReal("partial_rotary_factor").orElse(1));
    if (!rotatesPart && part != 1 && TAKE_PARTS.contains(type)) {
      throw model.config.invalid(
          "partial_rotary_factor",
          "1, as llama.cpp turns whole heads of '%s'".formatted(model.architecture()),
          "" + part);
    }
  }
}
