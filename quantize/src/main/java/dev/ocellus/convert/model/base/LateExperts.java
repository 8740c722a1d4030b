package dev.ocellus.convert.model.base;

import dev.ocellus.convert.hf.HfConfig;
import dev.ocellus.gguf.GgufWriter;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/**
 * Experts behind the first blocks, which are dense, with one that all tokens share beside them: as
 * DeepSeek V3 (arXiv:2412.19437) has them, and GLM-4.5.
 */
public final class LateExperts {
  /** Names in the checkpoint and in the file, beside those of the experts themselves. */
  public static final String[] NAMES = {
    "model.layers.#.mlp.gate blk.#.ffn_gate_inp",
    "model.layers.#.mlp.gate.e_score_correction_bias blk.#.exp_probs_b.bias",
    "model.layers.#.mlp.shared_experts.gate_proj blk.#.ffn_gate_shexp",
    "model.layers.#.mlp.shared_experts.up_proj blk.#.ffn_up_shexp",
    "model.layers.#.mlp.shared_experts.down_proj blk.#.ffn_down_shexp"
  };

  private static final Set<String> DENSE_ONLY =
      Set.of("ffn_up.weight", "ffn_gate.weight", "ffn_down.weight");

  private static final Set<String> EXPERTS_ONLY =
      Set.of(
          "ffn_gate_inp.weight",
          "exp_probs_b.bias",
          "ffn_gate_exps.weight",
          "ffn_up_exps.weight",
          "ffn_down_exps.weight",
          "ffn_gate_shexp.weight",
          "ffn_up_shexp.weight",
          "ffn_down_shexp.weight");

  private static final int SIGMOID = 2;

  private final HfConfig config;
  private final Experts experts;
  private final int nEmbd;
  private final int nDense;

  public LateExperts(Context context, HfConfig config, int nEmbd) {
    this.config = config;
    this.nEmbd = nEmbd;
    experts = new Experts(context, config, nEmbd);
    nDense = config.integerOr("first_k_dense_replace", 0);
  }

  public Experts experts() {
    return experts;
  }

  /** Whether a block does without a tensor. */
  public boolean lacks(int block, String tensor) {
    return (block < nDense ? EXPERTS_ONLY : DENSE_ONLY).contains(tensor);
  }

  /** Shapes of what all tokens go through, by name in a block, outermost size first. */
  public Map<String, long[]> sharedShapes(int nFf) {
    Map<String, long[]> shapes = new HashMap<>();
    long n = (long) nFf * config.integerOr("n_shared_experts", 0);
    if (n > 0) {
      shapes.put("ffn_gate_shexp.weight", new long[] {n, nEmbd});
      shapes.put("ffn_up_shexp.weight", new long[] {n, nEmbd});
      shapes.put("ffn_down_shexp.weight", new long[] {nEmbd, n});
    }
    return shapes;
  }

  /** How many there are, and that the sigmoid of scores weighs them. */
  public void write(GgufWriter out, String architecture) {
    experts.write(out, architecture);
    String a = architecture + ".";
    out.u32(a + "leading_dense_block_count", nDense);
    out.u32(a + "expert_shared_count", config.integerOr("n_shared_experts", 0));
    out.u32(a + "expert_gating_func", SIGMOID);
    out.f32(a + "expert_weights_scale", (float) config.findReal("routed_scaling_factor").orElse(1));
  }
}
