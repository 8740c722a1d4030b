package dev.ocellus.convert.model.gemma;

import com.fasterxml.jackson.databind.JsonNode;
import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.convert.common.OutputType;
import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.NameTable;
import dev.ocellus.convert.model.base.TargetTensor;
import dev.ocellus.convert.model.base.TextConfigs;
import dev.ocellus.convert.model.base.TextModel;
import dev.ocellus.convert.model.base.TextShapes;
import dev.ocellus.convert.tokenizer.TokenizerConverter;
import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.gguf.TensorType;
import java.io.IOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Gemma 4: layers that differ ({@link Gemma4Layers}), inputs of their own for each layer in the
 * small models, and experts beside a dense block in the 26B. Norms are stored whole.
 *
 * <p>Source: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/gemma4/modeling_gemma4.py">modeling_gemma4.py</a>;
 * what libllama expects is in {@code src/models/gemma4.cpp} of llama.cpp v0.4.0.
 */
public final class Gemma4Text extends TextModel {
  private static final NameTable GEMMA4_NAMES =
      NAMES.with(
          "model.embed_tokens_per_layer per_layer_token_embd",
          "model.per_layer_model_projection per_layer_model_proj",
          "model.per_layer_projection_norm per_layer_proj_norm",
          "model.layers.#.layer_scalar blk.#.layer_output_scale.weight",
          "model.layers.#.per_layer_input_gate blk.#.inp_gate",
          "model.layers.#.per_layer_projection blk.#.proj",
          "model.layers.#.post_per_layer_input_norm blk.#.post_norm",
          "model.layers.#.post_attention_layernorm blk.#.post_attention_norm",
          "model.layers.#.pre_feedforward_layernorm blk.#.ffn_norm",
          "model.layers.#.pre_feedforward_layernorm_2 blk.#.pre_ffw_norm_2",
          "model.layers.#.post_feedforward_layernorm blk.#.post_ffw_norm",
          "model.layers.#.post_feedforward_layernorm_1 blk.#.post_ffw_norm_1",
          "model.layers.#.post_feedforward_layernorm_2 blk.#.post_ffw_norm_2",
          "model.layers.#.router.proj blk.#.ffn_gate_inp",
          "model.layers.#.router.scale blk.#.ffn_gate_inp.scale",
          "model.layers.#.router.per_expert_scale blk.#.ffn_down_exps.scale",
          "model.layers.#.experts.down_proj blk.#.ffn_down_exps.weight",
          "model.layers.#.experts.gate_up_proj blk.#.ffn_gate_up_exps.weight");

  private static final Pattern BLOCK = Pattern.compile("blk\\.(\\d{1,9})\\.(.+)");

  /** Divides the frequency of pairs that are not turned, so that nothing of it is left. */
  private static final float NOT_TURNED = 1e30f;

  private final Gemma4Layers layers;

  public Gemma4Text(Context context) {
    super(context);
    layers = Gemma4Layers.of(config, nBlock);
    requireUsual();
  }

  private void requireUsual() {
    if (config.flag("attention_bias", false)) {
      throw config.invalid("attention_bias", "false, as llama.cpp adds none", "true");
    }
    if (config.findString("use_bidirectional_attention").orElse("").equals("all")) {
      throw config.invalid("use_bidirectional_attention", "null or vision", "all");
    }
    if (!rotation(true).path("rope_type").asText("proportional").equals("proportional")
        || !rotation(false).path("rope_type").asText("default").equals("default")) {
      throw config.invalid(
          "rope_parameters", "proportional for full layers and default for others", "others");
    }
  }

  private JsonNode rotation(boolean full) {
    JsonNode all = config.find("rope_parameters");
    return (all == null ? com.fasterxml.jackson.databind.node.MissingNode.getInstance() : all)
        .path(full ? "full_attention" : "sliding_attention");
  }

  @Override
  public String architecture() {
    return "gemma4";
  }

  @Override
  protected NameTable names() {
    return GEMMA4_NAMES;
  }

  @Override
  protected int headDim() {
    return layers.windowHeadSize();
  }

  @Override
  public void parameters(GgufWriter out, OutputType type) {
    String a = architecture();
    out.u32(a + ".block_count", nBlock);
    out.u32(a + ".context_length", config.integer("max_position_embeddings"));
    out.u32(a + ".embedding_length", nEmbd);
    out.u32(a + ".attention.head_count", nHead);
    layers.write(out, a);
    out.f32(a + ".rope.freq_base", (float) rotation(true).path("rope_theta").asDouble(1e6));
    out.f32(a + ".rope.freq_base_swa", (float) rotation(false).path("rope_theta").asDouble(1e4));
    out.f32(a + ".attention.layer_norm_rms_epsilon", (float) config.real("rms_norm_eps"));
    out.u32("general.file_type", type.fileType());
    config
        .findReal("final_logit_softcapping")
        .ifPresent(v -> out.f32(a + ".final_logit_softcapping", (float) v));
    out.u32(a + ".attention.sliding_window", config.integer("sliding_window"));
    out.u32(
        a + ".embedding_length_per_layer_input",
        config.findInteger("hidden_size_per_layer_input").orElse(0));
    if (hasExperts()) {
      out.u32(a + ".expert_count", config.integer("num_experts"));
      out.u32(a + ".expert_used_count", config.integer("top_k_experts"));
      out.u32(a + ".expert_feed_forward_length", config.integer("moe_intermediate_size"));
    }
    out.u32(a + ".rope.dimension_count", layers.headSize());
    double part = rotation(false).path("partial_rotary_factor").asDouble(1);
    out.u32(a + ".rope.dimension_count_swa", (int) (layers.windowHeadSize() * part));
  }

  private boolean hasExperts() {
    return config.flag("enable_moe_block", false);
  }

  /** Full layers turn a part of the pairs of a head, with the frequencies of a whole one. */
  @Override
  protected List<TargetTensor> extraTensors() {
    double part = rotation(true).path("partial_rotary_factor").asDouble(0.25);
    float[] divisors = new float[layers.headSize() / 2];
    Arrays.fill(divisors, NOT_TURNED);
    Arrays.fill(
        divisors, 0, Math.clamp((long) (layers.headSize() * part / 2), 0, divisors.length), 1);
    return List.of(new TargetTensor("rope_freqs.weight", LazyTensor.of("rope_freqs", divisors)));
  }

  /** Where blocks differ, their shapes are checked one by one. */
  @Override
  protected Map<String, long[]> ownShapes() {
    Map<String, long[]> shapes = new HashMap<>();
    for (String name : new String[] {"q", "k", "v", "output", "q_norm", "k_norm"}) {
      shapes.put("attn_" + name + ".weight", TextShapes.BY_BLOCK);
    }
    for (String name : new String[] {"gate", "up", "down"}) {
      shapes.put("ffn_" + name + ".weight", TextShapes.BY_BLOCK);
    }
    shapes.put("post_attention_norm.weight", new long[] {nEmbd});
    shapes.put("post_ffw_norm.weight", new long[] {nEmbd});
    if (hasExperts()) {
      long n = config.integer("num_experts");
      long nFf = config.integer("moe_intermediate_size");
      shapes.put("ffn_gate_inp.weight", new long[] {n, nEmbd});
      shapes.put("ffn_gate_inp.scale", new long[] {nEmbd});
      shapes.put("ffn_down_exps.scale", new long[] {n});
      shapes.put("ffn_gate_up_exps.weight", new long[] {n, 2 * nFf, nEmbd});
      shapes.put("ffn_down_exps.weight", new long[] {n, nEmbd, nFf});
    }
    return shapes;
  }

  @Override
  protected boolean lacks(int block, String tensor) {
    return switch (tensor) {
      case "attn_k.weight", "attn_k_norm.weight" -> !layers.hasKeys(block);
      case "attn_v.weight" -> !layers.hasValues(block);
      default -> false;
    };
  }

  @Override
  public List<TargetTensor> tensors() {
    List<TargetTensor> tensors = super.tensors();
    for (TargetTensor t : tensors) {
      Matcher block = BLOCK.matcher(t.name());
      if (block.matches()) {
        long[] wanted = shape(Integer.parseInt(block.group(1)), block.group(2));
        if (wanted.length > 0) {
          TextShapes.require(context.folder().directory(), t, wanted);
        }
      }
    }
    return tensors;
  }

  private long[] shape(int block, String name) {
    long head = layers.headSize(block);
    long keys = layers.nHeadKv(block) * head;
    long nFf = layers.nFf(block);
    return switch (name) {
      case "attn_q.weight" -> new long[] {nHead * head, nEmbd};
      case "attn_k.weight", "attn_v.weight" -> new long[] {keys, nEmbd};
      case "attn_output.weight" -> new long[] {nEmbd, nHead * head};
      case "attn_q_norm.weight", "attn_k_norm.weight" -> new long[] {head};
      case "ffn_gate.weight", "ffn_up.weight" -> new long[] {nFf, nEmbd};
      case "ffn_down.weight" -> new long[] {nEmbd, nFf};
      default -> new long[0];
    };
  }

  @Override
  protected List<TargetTensor> map(String name, LazyTensor tensor) {
    boolean copy = name.equals("lm_head.weight") && config.flag("tie_word_embeddings", true);
    return copy ? List.of() : super.map(name, tensor);
  }

  /** The router is small, and decides much. */
  @Override
  public TensorType typeOf(TargetTensor tensor, OutputType type) {
    return tensor.name().contains(".ffn_gate_inp.") ? TensorType.F32 : super.typeOf(tensor, type);
  }

  @Override
  public void tokenizer(GgufWriter out) throws IOException {
    new TokenizerConverter(context.folder(), nVocab(), context.preTokenizer()).writeGemma4(out);
  }

  /**
   * Whether the embeddings of an image attend to each other, of which no key of the text model
   * tells.
   */
  static boolean seesImagesBothWays(Context context) throws ConversionException {
    return TextConfigs.of(context.folder().config())
        .findString("use_bidirectional_attention")
        .orElse("")
        .equals("vision");
  }
}
