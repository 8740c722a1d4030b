package dev.ocellus.convert.model.llama;

import com.fasterxml.jackson.databind.JsonNode;
import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.convert.common.OutputType;
import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.Experts;
import dev.ocellus.convert.model.base.NameTable;
import dev.ocellus.convert.model.base.TargetTensor;
import dev.ocellus.convert.model.base.TextModel;
import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.gguf.TensorType;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The language model of Llama 4: experts in some or all layers, and layers without positions. What
 * libllama fixes to the published models' values is written where a checkpoint has others.
 *
 * <p>Source: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/llama4/modeling_llama4.py">modeling_llama4.py</a>;
 * what libllama expects is in {@code src/models/llama4.cpp} of llama.cpp v0.4.0.
 */
public final class Llama4Text extends TextModel {
  private static final NameTable LLAMA4_NAMES =
      NAMES.with(
          "model.layers.#.feed_forward.gate_proj blk.#.ffn_gate",
          "model.layers.#.feed_forward.up_proj blk.#.ffn_up",
          "model.layers.#.feed_forward.down_proj blk.#.ffn_down",
          "model.layers.#.feed_forward.router blk.#.ffn_gate_inp",
          "model.layers.#.feed_forward.shared_expert.gate_proj blk.#.ffn_gate_shexp",
          "model.layers.#.feed_forward.shared_expert.up_proj blk.#.ffn_up_shexp",
          "model.layers.#.feed_forward.shared_expert.down_proj blk.#.ffn_down_shexp",
          "model.layers.#.feed_forward.experts.gate_proj blk.#.ffn_gate_exps.weight",
          "model.layers.#.feed_forward.experts.up_proj blk.#.ffn_up_exps.weight",
          "model.layers.#.feed_forward.experts.down_proj blk.#.ffn_down_exps.weight");

  private static final Set<String> DENSE_ONLY =
      Set.of("ffn_up.weight", "ffn_gate.weight", "ffn_down.weight");

  private static final int USUAL_LENGTH = 8192;
  private static final float USUAL_SCALE = 0.1f;
  private static final int INTERVAL = 4;

  /** The published model of so many experts norms no heads, all others do. */
  private static final int EXPERTS_WITHOUT_NORM = 128;

  private final int nExpert;
  private final int nFfExpert;
  private final int step;
  private final boolean[] hasExperts;
  private final boolean[] turned;
  private final boolean[] chunked;

  public Llama4Text(Context context) {
    super(context);
    nExpert = config.integer("num_local_experts");
    nFfExpert = config.integer("intermediate_size");
    step = config.integer("interleave_moe_layer_step");
    hasExperts = layersWithExperts();
    turned = turnedLayers();
    chunked = chunkedLayers();
  }

  private boolean[] layersWithExperts() {
    boolean[] out = new boolean[nBlock];
    if (!config.says("moe_layers")) {
      for (int i = step - 1; i < nBlock; i += step) {
        out[i] = true;
      }
      return out;
    }
    for (int i : config.integers("moe_layers")) {
      if (i < 0 || i >= nBlock) {
        throw config.invalid("moe_layers", "layers below " + nBlock, "" + i);
      }
      out[i] = true;
    }
    return out;
  }

  /** The list says 1 for layers that are turned, whatever it is called. */
  private boolean[] turnedLayers() {
    int[] said = config.integers("no_rope_layers");
    if (said.length != 0 && said.length < nBlock) {
      throw config.invalid("no_rope_layers", nBlock + " numbers", said.length + " numbers");
    }
    int interval = config.findInteger("no_rope_layer_interval").orElse(INTERVAL);
    boolean[] out = new boolean[nBlock];
    for (int i = 0; i < nBlock; i++) {
      out[i] = said.length == 0 ? (i + 1) % Math.max(1, interval) != 0 : said[i] != 0;
    }
    return out;
  }

  private boolean[] chunkedLayers() {
    JsonNode said = config.find("layer_types");
    if (said == null) {
      return turned.clone();
    }
    if (said.size() < nBlock) {
      throw config.invalid("layer_types", nBlock + " names", said.size() + " names");
    }
    boolean[] out = new boolean[nBlock];
    for (int i = 0; i < nBlock; i++) {
      String type = said.get(i).asText();
      if (!Set.of("chunked_attention", "full_attention").contains(type)) {
        throw config.invalid(
            "layer_types", "'chunked_attention' or 'full_attention'", "'" + type + "'");
      }
      out[i] = type.equals("chunked_attention");
    }
    return out;
  }

  @Override
  public String architecture() {
    return "llama4";
  }

  @Override
  protected NameTable names() {
    return LLAMA4_NAMES;
  }

  @Override
  protected int nFf() {
    return config.integer("intermediate_size_mlp");
  }

  @Override
  protected boolean knowsExperts() {
    return true;
  }

  @Override
  protected void feedForward(GgufWriter out) {
    out.u32("llama4.feed_forward_length", nFf());
    out.u32("llama4.expert_feed_forward_length", nFfExpert);
  }

  @Override
  public void parameters(GgufWriter out, OutputType type) {
    super.parameters(out, type);
    int nUsed = config.integer("num_experts_per_tok");
    if (nUsed > nExpert) {
      throw config.invalid("num_experts_per_tok", "1 to " + nExpert, "" + nUsed);
    }
    out.u32("llama4.vocab_size", nVocab());
    out.u32("llama4.rope.dimension_count", headDim());
    out.u32("llama4.interleave_moe_layer_step", step);
    out.u32("llama4.expert_count", nExpert);
    out.u32("llama4.expert_used_count", nUsed);
    if (config.says("layer_types") && none(chunked)) {
      out.u32("llama4.attention.sliding_window", 0);
    }
    unusual(out);
  }

  private static boolean none(boolean[] flags) {
    return Arrays.equals(flags, new boolean[flags.length]);
  }

  /** Whatever libllama would take to be otherwise; then all of it (docs/gguf.md). */
  private void unusual(GgufWriter out) {
    int chunk = config.integer("attention_chunk_size");
    int length = config.integer("floor_scale");
    boolean tuned = isTrue("attn_temperature_tuning", true);
    float scale = tuned ? (float) config.real("attn_scale") : 0;
    boolean normed = isTrue("use_qk_norm", true);
    boolean usual =
        chunk == USUAL_LENGTH
            && length == USUAL_LENGTH
            && scale == USUAL_SCALE
            && normed == (nExpert != EXPERTS_WITHOUT_NORM)
            && !config.flag("attention_bias", false)
            && hasUsualLayers();
    if (usual) {
      return;
    }
    String kind = rope.type();
    if (!Set.of("", "default", "llama3").contains(kind)) {
      throw config.invalid(
          "rope_scaling.rope_type",
          "default or llama3 in a checkpoint whose attention is not as published",
          "'" + kind + "'");
    }
    out.u32("llama4.attention.chunk_size", chunk);
    out.u32("llama4.attention.temperature_length", length);
    out.f32("llama4.attention.temperature_scale", scale);
    out.bool("llama4.attention.heads_normed", normed);
    out.ints("llama4.attention.chunked_layers", numbers(chunked));
    out.ints("llama4.rope.layers", numbers(turned));
    context.warn(
        "the text model's attention is not that of the published models, which llama.cpp has as the only one: it would compute this file otherwise than it is meant");
  }

  private boolean hasUsualLayers() {
    boolean usual = nBlock >= INTERVAL;
    for (int i = 0; i < nBlock; i++) {
      usual &= turned[i] == ((i + 1) % INTERVAL != 0);
      usual &= chunked[i] == turned[i];
      usual &= hasExperts[i] == ((i + 1) % step == 0);
    }
    return usual;
  }

  /** A flag that the first published configurations write as a number. */
  private boolean isTrue(String key, boolean defaultValue) {
    JsonNode value = config.find(key);
    return value != null && value.isNumber() ? value.asInt() != 0 : config.flag(key, defaultValue);
  }

  private static int[] numbers(boolean[] flags) {
    int[] out = new int[flags.length];
    Arrays.setAll(out, i -> flags[i] ? 1 : 0);
    return out;
  }

  @Override
  protected Map<String, long[]> ownShapes() {
    Map<String, long[]> shapes = new HashMap<>();
    shapes.put("ffn_gate_inp.weight", new long[] {nExpert, nEmbd});
    shapes.put("ffn_gate_exps.weight", new long[] {nExpert, nFfExpert, nEmbd});
    shapes.put("ffn_up_exps.weight", new long[] {nExpert, nFfExpert, nEmbd});
    shapes.put("ffn_down_exps.weight", new long[] {nExpert, nEmbd, nFfExpert});
    shapes.put("ffn_gate_shexp.weight", new long[] {nFfExpert, nEmbd});
    shapes.put("ffn_up_shexp.weight", new long[] {nFfExpert, nEmbd});
    shapes.put("ffn_down_shexp.weight", new long[] {nEmbd, nFfExpert});
    shapes.put("ffn_up.weight", new long[] {nFf(), nEmbd});
    shapes.put("ffn_gate.weight", new long[] {nFf(), nEmbd});
    shapes.put("ffn_down.weight", new long[] {nEmbd, nFf()});
    return shapes;
  }

  @Override
  protected boolean lacks(int block, String tensor) {
    return tensor.startsWith("ffn_")
        && !tensor.startsWith("ffn_norm")
        && hasExperts[block] == DENSE_ONLY.contains(tensor);
  }

  /** Experts lie with rows and columns exchanged, and gate and up in one. */
  @Override
  protected List<TargetTensor> map(String name, LazyTensor tensor) {
    if (!name.contains(".experts.")) {
      return super.map(name, tensor);
    }
    if (tensor.rank() != 3) {
      throw new ConversionException(
          "Tensor %s: expected the matrices of all experts, of three sizes.".formatted(tensor));
    }
    LazyTensor straight = tensor.transposedEach();
    if (!name.contains("gate_up_proj")) {
      return List.of(new TargetTensor(gguf(name), straight));
    }
    return List.of(
        new TargetTensor(gguf(name.replace("gate_up", "gate")), Experts.half(straight, 0)),
        new TargetTensor(gguf(name.replace("gate_up", "up")), Experts.half(straight, 1)));
  }

  /** The router is small, and decides much. */
  @Override
  public TensorType typeOf(TargetTensor tensor, OutputType type) {
    return tensor.name().endsWith(".ffn_gate_inp.weight")
        ? TensorType.F32
        : super.typeOf(tensor, type);
  }
}
