package dev.ocellus.convert.model.qwen;

import dev.ocellus.convert.common.OutputType;
import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.Experts;
import dev.ocellus.convert.model.base.NameTable;
import dev.ocellus.convert.model.base.TargetTensor;
import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.gguf.TensorType;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The mixtures of experts of Qwen3.5 and later: some experts for each token, and one for all of
 * them with a gate of its own.
 */
public final class Qwen35MoeText extends Qwen35Text {
  private final Experts experts;
  private final NameTable names;
  private final int nShared;

  public Qwen35MoeText(Context context) {
    super(context);
    experts = new Experts(context, config, nEmbd);
    nShared = config.integer("shared_expert_intermediate_size");
    names =
        super.names()
            .with(
                "model.layers.#.mlp.gate blk.#.ffn_gate_inp",
                "model.layers.#.mlp.shared_expert.gate_proj blk.#.ffn_gate_shexp",
                "model.layers.#.mlp.shared_expert.up_proj blk.#.ffn_up_shexp",
                "model.layers.#.mlp.shared_expert.down_proj blk.#.ffn_down_shexp",
                "model.layers.#.mlp.shared_expert_gate blk.#.ffn_gate_inp_shexp");
  }

  @Override
  public String architecture() {
    return "qwen35moe";
  }

  @Override
  protected NameTable names() {
    return names;
  }

  @Override
  protected Optional<Experts> experts() {
    return Optional.of(experts);
  }

  /** Every block has experts, so this is never used. */
  @Override
  protected int nFf() {
    return nShared;
  }

  @Override
  protected void feedForward(GgufWriter out) {
    experts.write(out, architecture());
    out.u32(architecture() + ".expert_shared_feed_forward_length", nShared);
  }

  @Override
  protected Map<String, long[]> ownShapes() {
    Map<String, long[]> shapes = new HashMap<>(super.ownShapes());
    shapes.put("ffn_gate_inp_shexp.weight", new long[] {1, nEmbd});
    shapes.put("ffn_gate_shexp.weight", new long[] {nShared, nEmbd});
    shapes.put("ffn_up_shexp.weight", new long[] {nShared, nEmbd});
    shapes.put("ffn_down_shexp.weight", new long[] {nEmbd, nShared});
    return shapes;
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
