package dev.ocellus.convert.model.gemma;

import dev.ocellus.convert.common.OutputType;
import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.NameTable;
import dev.ocellus.convert.model.base.TargetTensor;
import dev.ocellus.gguf.GgufWriter;
import java.util.List;

/** Gemma 2 (arXiv:2408.00118): norms after each part too, capped logits, sliding windows. */
public final class Gemma2Text extends GemmaText {
  private static final NameTable GEMMA2_NAMES =
      NAMES.with(
          "model.layers.#.post_attention_layernorm blk.#.post_attention_norm",
          "model.layers.#.pre_feedforward_layernorm blk.#.ffn_norm",
          "model.layers.#.post_feedforward_layernorm blk.#.post_ffw_norm");

  private static final int LAYERS_OF_27B = 46;

  private final GemmaAttention attention;

  public Gemma2Text(Context context) {
    super(context);
    attention = new GemmaAttention(config, nBlock, 2);
  }

  @Override
  public String architecture() {
    return "gemma2";
  }

  @Override
  protected NameTable names() {
    return GEMMA2_NAMES;
  }

  @Override
  public void parameters(GgufWriter out, OutputType type) {
    super.parameters(out, type);
    out.f32("gemma2.attn_logit_softcapping", (float) config.real("attn_logit_softcapping"));
    out.f32("gemma2.final_logit_softcapping", (float) config.real("final_logit_softcapping"));
    out.u32("gemma2.attention.sliding_window", config.integer("sliding_window"));
    attention.writePeriod(out, architecture());
  }

  @Override
  protected List<TargetTensor> map(String name, LazyTensor tensor) {
    float scale = attention.queryScale(nHead, nEmbd, config.integer("head_dim"), LAYERS_OF_27B);
    boolean scales = scale != 1 && name.contains(".q_proj.");
    return super.map(name, scales ? tensor.times(scale) : tensor);
  }
}
