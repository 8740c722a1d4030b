package dev.ocellus.convert.model.gemma;

import dev.ocellus.convert.common.OutputType;
import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.NameTable;
import dev.ocellus.convert.model.base.TargetTensor;
import dev.ocellus.gguf.GgufWriter;
import java.util.List;

/**
 * Gemma 3 (arXiv:2503.19786): norms on queries and keys, five layers with a sliding window to one
 * without, each kind with its own rotation.
 */
public final class Gemma3Text extends GemmaText {
  private static final NameTable GEMMA3_NAMES =
      NAMES.with(
          "model.layers.#.post_attention_layernorm blk.#.post_attention_norm",
          "model.layers.#.pre_feedforward_layernorm blk.#.ffn_norm",
          "model.layers.#.post_feedforward_layernorm blk.#.post_ffw_norm");

  private static final int LAYERS_OF_27B = 62;

  private final GemmaAttention attention;

  public Gemma3Text(Context context) {
    super(context);
    attention = new GemmaAttention(config, nBlock, 6);
    if (config.find("attn_logit_softcapping") != null) {
      throw config.invalid("attn_logit_softcapping", "null, as Gemma 3 has none", "a number");
    }
    if (config.flag("use_bidirectional_attention", false)) {
      throw config.invalid(
          "use_bidirectional_attention", "false, as llama.cpp has it for 'gemma3'", "true");
    }
  }

  @Override
  public String architecture() {
    return "gemma3";
  }

  @Override
  protected NameTable names() {
    return GEMMA3_NAMES;
  }

  @Override
  public void parameters(GgufWriter out, OutputType type) {
    String a = architecture();
    out.u32(a + ".block_count", nBlock);
    out.u32(a + ".context_length", config.integer("max_position_embeddings"));
    out.u32(a + ".embedding_length", nEmbd);
    out.u32(a + ".feed_forward_length", config.integer("intermediate_size"));
    out.u32(a + ".attention.head_count", nHead);
    out.u32(a + ".attention.head_count_kv", nHeadKv);
    rope.write(out, a, context);
    out.f32(a + ".attention.layer_norm_rms_epsilon", (float) config.real("rms_norm_eps"));
    out.u32(a + ".attention.key_length", config.integer("head_dim"));
    out.u32(a + ".attention.value_length", config.integer("head_dim"));
    out.u32("general.file_type", type.fileType());
    config
        .findReal("final_logit_softcapping")
        .ifPresent(v -> out.f32(a + ".final_logit_softcapping", (float) v));
    if (attention.period() != 1) {
      out.u32(a + ".attention.sliding_window", config.integer("sliding_window"));
      attention.writePeriod(out, a);
    }
  }

  /** Queries are normed, so the weights of the norm scale them. A head of its own is kept. */
  @Override
  protected List<TargetTensor> map(String name, LazyTensor tensor) {
    if (name.equals("lm_head.weight") && !config.flag("tie_word_embeddings", true)) {
      return List.of(new TargetTensor(gguf(name), tensor));
    }
    float scale = attention.queryScale(nHead, nEmbd, config.integer("head_dim"), LAYERS_OF_27B);
    if (scale != 1 && name.endsWith(".self_attn.q_norm.weight")) {
      return List.of(new TargetTensor(gguf(name), tensor.plus(1).times(scale)));
    }
    return super.map(name, tensor);
  }
}
