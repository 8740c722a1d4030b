package dev.ocellus.convert.model;

import com.fasterxml.jackson.databind.JsonNode;
import dev.ocellus.convert.common.OutputType;
import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.Experts;
import dev.ocellus.convert.model.base.NameTable;
import dev.ocellus.convert.model.base.TargetTensor;
import dev.ocellus.convert.model.base.TextModel;
import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.gguf.TensorType;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The language model of DeepSeek-OCR-2 (arXiv:2601.20552): a mixture of experts of DeepSeek's
 * (arXiv:2401.06066) with plain attention, whose first blocks are dense.
 */
final class DeepseekOcr2Text extends TextModel {
  private static final NameTable DEEPSEEK_NAMES =
      NAMES.with(
          "model.layers.#.mlp.gate blk.#.ffn_gate_inp",
          "model.layers.#.mlp.shared_experts.gate_proj blk.#.ffn_gate_shexp",
          "model.layers.#.mlp.shared_experts.up_proj blk.#.ffn_up_shexp",
          "model.layers.#.mlp.shared_experts.down_proj blk.#.ffn_down_shexp");

  private static final List<String> DENSE =
      List.of("ffn_gate.weight", "ffn_up.weight", "ffn_down.weight");

  /** libllama stops at any other base. */
  private static final double THETA = 10_000;

  private final Experts experts;
  private final int nShared;
  private final int nDense;

  DeepseekOcr2Text(Context context) {
    super(context);
    experts = new Experts(context, config, nEmbd);
    nShared = config.integer("n_shared_experts");
    nDense = leadingDense();
    requireUsual();
  }

  private void requireUsual() {
    for (String bias : new String[] {"attention_bias", "mlp_bias"}) {
      if (config.flag(bias, false)) {
        throw config.invalid(bias, "false, as libllama computes none", "true");
      }
    }
    String method = config.findString("topk_method").orElse("greedy");
    if (!method.equals("greedy")) {
      throw config.invalid("topk_method", "'greedy'", "'" + method + "'");
    }
    if (nHeadKv != nHead || headDim() * nHead != nEmbd) {
      throw config.invalid(
          "num_key_value_heads",
          "as many heads of keys as of queries, which fill hidden_size, as libllama wants them",
          "%d and %d of %d".formatted(nHeadKv, nHead, headDim()));
    }
    if (rope.theta() != THETA) {
      throw config.invalid("rope_theta", "10000, as libllama takes no other", "" + rope.theta());
    }
  }

  /** How many of the first blocks have no experts; all behind them must have some. */
  private int leadingDense() {
    JsonNode types = config.find("mlp_layer_types");
    if (types == null) {
      return Math.min(nBlock, config.findInteger("first_k_dense_replace").orElse(1));
    }
    int n = 0;
    while (n < types.size() && types.get(n).asText().equals("dense")) {
      n++;
    }
    for (int i = n; i < nBlock; i++) {
      if (types.size() != nBlock || !types.get(i).asText().equals("sparse")) {
        throw config.invalid(
            "mlp_layer_types", "dense ones, then sparse ones, for each of " + nBlock, "" + types);
      }
    }
    return n;
  }

  @Override
  public String architecture() {
    return "deepseek2-ocr";
  }

  @Override
  protected NameTable names() {
    return DEEPSEEK_NAMES;
  }

  @Override
  protected Optional<Experts> experts() {
    return Optional.of(experts);
  }

  @Override
  protected void feedForward(GgufWriter out) {
    super.feedForward(out);
    String a = architecture();
    out.u32(a + ".leading_dense_block_count", nDense);
    experts.write(out, a);
    out.u32(a + ".expert_shared_count", nShared);
    config
        .findReal("routed_scaling_factor")
        .ifPresent(scale -> out.f32(a + ".expert_weights_scale", (float) scale));
  }

  @Override
  public void parameters(GgufWriter out, OutputType type) {
    super.parameters(out, type);
    out.u32(architecture() + ".vocab_size", nVocab());
    out.u32(architecture() + ".rope.dimension_count", headDim());
  }

  @Override
  protected Map<String, long[]> ownShapes() {
    long nFf = (long) nShared * config.integer("moe_intermediate_size");
    Map<String, long[]> shapes = new HashMap<>();
    shapes.put("ffn_gate_shexp.weight", new long[] {nFf, nEmbd});
    shapes.put("ffn_up_shexp.weight", new long[] {nFf, nEmbd});
    shapes.put("ffn_down_shexp.weight", new long[] {nEmbd, nFf});
    return shapes;
  }

  @Override
  protected boolean lacks(int block, String tensor) {
    return tensor.startsWith("ffn_")
        && !tensor.equals("ffn_norm.weight")
        && DENSE.contains(tensor) == block >= nDense;
  }

  @Override
  protected List<TargetTensor> map(String name, LazyTensor tensor) {
    return Experts.holds(name) ? experts.map(name, tensor) : super.map(name, tensor);
  }

  /** The routers are small, and decide much. */
  @Override
  public TensorType typeOf(TargetTensor tensor, OutputType type) {
    return tensor.name().contains(".ffn_gate_inp") ? TensorType.F32 : super.typeOf(tensor, type);
  }
}
