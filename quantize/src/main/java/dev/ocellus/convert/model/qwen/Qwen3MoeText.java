package dev.ocellus.convert.model.qwen;

import dev.ocellus.convert.common.OutputType;
import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.Experts;
import dev.ocellus.convert.model.base.NameTable;
import dev.ocellus.convert.model.base.TargetTensor;
import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.gguf.TensorType;
import java.util.List;
import java.util.Optional;

/** The mixtures of experts of Qwen3 (arXiv:2505.09388), such as InternVL 3.5's 30B. */
public class Qwen3MoeText extends Qwen3Text {
  private static final NameTable MOE_NAMES =
      NAMES.with("model.layers.#.mlp.gate blk.#.ffn_gate_inp");

  private final Experts experts;

  public Qwen3MoeText(Context context) {
    super(context);
    experts = new Experts(context, config, nEmbd);
  }

  @Override
  public String architecture() {
    return "qwen3moe";
  }

  @Override
  protected NameTable names() {
    return MOE_NAMES;
  }

  @Override
  protected Optional<Experts> experts() {
    return Optional.of(experts);
  }

  @Override
  public void parameters(GgufWriter out, OutputType type) {
    super.parameters(out, type);
    experts.write(out, architecture());
  }

  @Override
  protected List<TargetTensor> map(String name, LazyTensor tensor) {
    return Experts.holds(name) ? experts.map(name, tensor) : super.map(name, tensor);
  }

  /** The router is small, and decides much. */
  @Override
  public TensorType typeOf(TargetTensor tensor, OutputType type) {
    return tensor.name().endsWith(".ffn_gate_inp.weight")
        ? TensorType.F32
        : super.typeOf(tensor, type);
  }
}
