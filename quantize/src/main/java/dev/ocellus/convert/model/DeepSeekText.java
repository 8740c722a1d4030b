package dev.ocellus.convert.model;

import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.convert.common.OutputType;
import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.Experts;
import dev.ocellus.convert.model.base.LateExperts;
import dev.ocellus.convert.model.base.NameTable;
import dev.ocellus.convert.model.base.TargetTensor;
import dev.ocellus.convert.model.base.TextModel;
import dev.ocellus.convert.tokenizer.TokenizerConverter;
import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.gguf.TensorType;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * DeepSeek V3 and what is built like it, such as Kimi K2 (arXiv:2412.19437): keys and values of all
 * heads from one narrow state (multi-head latent attention), and experts behind the first blocks.
 *
 * <p>Source: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/deepseek_v3/modeling_deepseek_v3.py">modeling_deepseek_v3.py</a>;
 * what libllama expects is in {@code src/models/deepseek2.cpp} of llama.cpp v0.4.0.
 */
final class DeepSeekText extends TextModel {
  private static final NameTable DEEPSEEK_NAMES =
      NAMES
          .with(
              "model.layers.#.self_attn.q_a_proj blk.#.attn_q_a",
              "model.layers.#.self_attn.q_a_layernorm blk.#.attn_q_a_norm",
              "model.layers.#.self_attn.q_b_proj blk.#.attn_q_b",
              "model.layers.#.self_attn.kv_a_proj_with_mqa blk.#.attn_kv_a_mqa",
              "model.layers.#.self_attn.kv_a_layernorm blk.#.attn_kv_a_norm",
              "model.layers.#.self_attn.k_b_proj blk.#.attn_k_b",
              "model.layers.#.self_attn.v_b_proj blk.#.attn_v_b")
          .with(LateExperts.NAMES);

  private static final int SOFTMAX = 1;

  /** Of the one larger model that llama.cpp knows to have no rank of queries. */
  private static final int LITE_BLOCKS = 48;

  private static final int LITE_TOKENS = 128256;

  private final LateExperts experts;
  private final int qRank;
  private final int kvRank;
  private final int nope;
  private final int turned;
  private final int value;

  DeepSeekText(Context context) {
    super(context);
    experts = new LateExperts(context, config, nEmbd);
    qRank = config.integerOr("q_lora_rank", 0);
    kvRank = config.integer("kv_lora_rank");
    nope = config.integer("qk_nope_head_dim");
    turned = config.integer("qk_rope_head_dim");
    value = config.integer("v_head_dim");
    if (config.integerOr("moe_layer_freq", 1) != 1) {
      throw config.invalid("moe_layer_freq", "1, as llama.cpp has it", "more");
    }
    if (config.flag("attention_bias", false)) {
      throw config.invalid("attention_bias", "false, as llama.cpp adds none", "true");
    }
    requireQueries();
    if (!config.flag("rope_interleave", true)) {
      throw config.invalid("rope_interleave", "true, as llama.cpp turns neighbours", "false");
    }
  }

  /**
   * llama.cpp tells by the number of blocks, and not by the file, whether queries have a low rank.
   */
  private void requireQueries() {
    boolean lite =
        nBlock == 26 || nBlock == 27 || (nBlock == LITE_BLOCKS && nVocab() == LITE_TOKENS);
    if (lite == (qRank == 0)) {
      return;
    }
    throw config.invalid(
        "q_lora_rank",
        lite
            ? "null, as llama.cpp takes queries of %d blocks to have none".formatted(nBlock)
            : "a number, as llama.cpp takes queries of %d blocks to have one; it computes those without in models of 26 or 27 only"
                .formatted(nBlock),
        qRank == 0 ? "null" : "" + qRank);
  }

  @Override
  public String architecture() {
    return "deepseek2";
  }

  @Override
  public void tokenizer(GgufWriter out) throws IOException {
    new TokenizerConverter(context.folder(), nVocab(), context.preTokenizer()).writeKimi(out);
  }

  @Override
  protected NameTable names() {
    return DEEPSEEK_NAMES;
  }

  @Override
  protected boolean saysHeadDim() {
    return false;
  }

  @Override
  protected Optional<Experts> experts() {
    return Optional.of(experts.experts());
  }

  @Override
  public void parameters(GgufWriter out, OutputType type) {
    super.parameters(out, type);
    String a = "deepseek2.";
    out.remove(a + "attention.head_count_kv").u32(a + "attention.head_count_kv", 1);
    out.u32(a + "attention.key_length", kvRank + turned);
    out.u32(a + "attention.value_length", kvRank);
    out.u32(a + "attention.key_length_mla", nope + turned);
    out.u32(a + "attention.value_length_mla", value);
    out.u32(a + "attention.kv_lora_rank", kvRank);
    if (qRank > 0) {
      out.u32(a + "attention.q_lora_rank", qRank);
    }
    out.u32(a + "vocab_size", nVocab());
    out.u32(a + "rope.dimension_count", turned);
    rope.find("mscale_all_dim")
        .ifPresent(m -> out.f32(a + "rope.scaling.yarn_log_multiplier", (float) (0.1 * m)));
    experts.write(out, architecture());
    routing(out, a);
  }

  /** How experts are chosen and weighed. */
  private void routing(GgufWriter out, String a) {
    config.findInteger("n_group").ifPresent(n -> out.u32(a + "expert_group_count", n));
    config.findInteger("topk_group").ifPresent(n -> out.u32(a + "expert_group_used_count", n));
    String scoring = config.findString("scoring_func").orElse("sigmoid");
    if (!Set.of("sigmoid", "softmax").contains(scoring)) {
      throw config.invalid("scoring_func", "sigmoid or softmax", "'" + scoring + "'");
    }
    if (scoring.equals("softmax")) {
      out.remove(a + "expert_gating_func").u32(a + "expert_gating_func", SOFTMAX);
    }
    if (config.flag("norm_topk_prob", true)) {
      out.bool(a + "expert_weights_norm", true);
    }
  }

  @Override
  protected Map<String, long[]> ownShapes() {
    Map<String, long[]> shapes = new HashMap<>();
    long query = (long) nHead * (nope + turned);
    if (qRank > 0) {
      shapes.put("attn_q_a.weight", new long[] {qRank, nEmbd});
      shapes.put("attn_q_a_norm.weight", new long[] {qRank});
      shapes.put("attn_q_b.weight", new long[] {query, qRank});
    } else {
      shapes.put("attn_q.weight", new long[] {query, nEmbd});
    }
    shapes.put("attn_kv_a_mqa.weight", new long[] {kvRank + turned, nEmbd});
    shapes.put("attn_kv_a_norm.weight", new long[] {kvRank});
    shapes.put("attn_k_b.weight", new long[] {nHead, kvRank, nope});
    shapes.put("attn_v_b.weight", new long[] {nHead, value, kvRank});
    shapes.put("attn_output.weight", new long[] {nEmbd, (long) nHead * value});
    return shapes;
  }

  @Override
  protected boolean lacks(int block, String tensor) {
    return experts.lacks(block, tensor);
  }

  /** Kimi's layers are called blocks when transformers saves them. */
  @Override
  protected List<TargetTensor> map(String saved, LazyTensor tensor) {
    String name = saved.replace("model.blocks.", "model.layers.");
    if (Experts.holds(name)) {
      return experts.experts().map(name, tensor);
    }
    if (name.endsWith(".kv_b_proj.weight")) {
      return keysAndValues(name, tensor);
    }
    return super.map(name, tensor);
  }

  /** The matrix of keys and values of all heads in two, of which that of keys lies across. */
  private List<TargetTensor> keysAndValues(String name, LazyTensor both) {
    int rows = nope + value;
    if (both.rank() != 2 || both.size(0) != (long) nHead * rows || both.size(1) != kvRank) {
      throw new ConversionException(
          "Tensor %s: expected [%d, %d] by the configuration. Configuration and tensors are not of one checkpoint."
              .formatted(both, (long) nHead * rows, kvRank));
    }
    LazyTensor keys =
        both.rearrange(kvRank, i -> i / nope * rows + i % nope, nHead, nope, kvRank)
            .transposedEach();
    LazyTensor values =
        both.rearrange(kvRank, i -> i / value * rows + nope + i % value, nHead, value, kvRank);
    return List.of(
        new TargetTensor(gguf(name.replace("kv_b_proj", "k_b_proj")), keys),
        new TargetTensor(gguf(name.replace("kv_b_proj", "v_b_proj")), values));
  }

  /** The router is small, and decides much. */
  @Override
  public TensorType typeOf(TargetTensor tensor, OutputType type) {
    return tensor.name().endsWith(".ffn_gate_inp.weight")
        ? TensorType.F32
        : super.typeOf(tensor, type);
  }
}
