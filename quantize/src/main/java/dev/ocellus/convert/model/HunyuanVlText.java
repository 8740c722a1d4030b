package dev.ocellus.convert.model;

import dev.ocellus.convert.common.OutputType;
import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.NameTable;
import dev.ocellus.convert.model.base.TargetTensor;
import dev.ocellus.convert.model.base.TextModel;
import dev.ocellus.gguf.GgufWriter;
import java.util.List;

/**
 * The language model of HunyuanOCR (arXiv:2511.19575): norms on queries and keys, and rotary
 * positions with four axes, whose base is scaled.
 */
final class HunyuanVlText extends TextModel {
  private static final NameTable HUNYUAN_NAMES =
      NAMES.with(
          "model.layers.#.self_attn.query_layernorm blk.#.attn_q_norm",
          "model.layers.#.self_attn.key_layernorm blk.#.attn_k_norm");

  private static final int AXES = 4;

  HunyuanVlText(Context context) {
    super(context);
    if (config.flag("attention_bias", false)) {
      throw config.invalid("attention_bias", "false, as libllama computes none", "true");
    }
    if (rope.sections().length != AXES) {
      throw config.invalid(
          "rope_scaling.xdrope_section", "four numbers", "" + rope.sections().length);
    }
  }

  @Override
  public String architecture() {
    return "hunyuan_vl";
  }

  @Override
  protected NameTable names() {
    return HUNYUAN_NAMES;
  }

  @Override
  protected int headDim() {
    return config.findInteger("head_dim", "attention_head_dim").orElse(nEmbd / nHead);
  }

  /** libllama scales the base by the size of a head, so that it must be known. */
  @Override
  protected boolean saysHeadDim() {
    return true;
  }

  @Override
  protected int nVocab() {
    return config.integer("vocab_size", "org_vocab_size");
  }

  @Override
  public void parameters(GgufWriter out, OutputType type) {
    super.parameters(out, type);
    out.string("hunyuan_vl.rope.scaling.type", "none");
    out.f32("hunyuan_vl.rope.scaling.factor", (float) rope.find("factor").orElse(1));
    rope.find("alpha").ifPresent(alpha -> out.f32("hunyuan_vl.rope.scaling.alpha", (float) alpha));
    out.u32(
        "hunyuan_vl.rope.scaling.original_context_length",
        config.integer("max_position_embeddings"));
  }

  @Override
  protected List<TargetTensor> map(String name, LazyTensor tensor) {
    boolean tied = name.equals("lm_head.weight") && tiesEmbeddings();
    return tied ? List.of() : super.map(name, tensor);
  }
}
