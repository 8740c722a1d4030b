package dev.ocellus.convert.model;

import dev.ocellus.convert.common.OutputType;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.NameTable;
import dev.ocellus.convert.model.base.TargetTensor;
import dev.ocellus.convert.model.base.TextModel;
import dev.ocellus.gguf.GgufWriter;
import java.util.List;

/**
 * Phi-3 and Phi-4 (arXiv:2404.14219): queries, keys and values in one matrix, gate and up in one,
 * and for long contexts two lists of factors for the rotation.
 */
final class Phi3Text extends TextModel {
  private static final NameTable PHI3_NAMES =
      NAMES.with(
          "model.layers.#.self_attn.qkv_proj blk.#.attn_qkv",
          "model.layers.#.mlp.gate_up_proj blk.#.ffn_up");

  Phi3Text(Context context) {
    super(context);
  }

  @Override
  public String architecture() {
    return "phi3";
  }

  @Override
  protected NameTable names() {
    return PHI3_NAMES;
  }

  private int originalContext() {
    return rope.find("original_max_position_embeddings").isPresent()
        ? (int) rope.find("original_max_position_embeddings").getAsDouble()
        : config.integer("original_max_position_embeddings");
  }

  private int rotated() {
    double part =
        rope.find("partial_rotary_factor")
            .orElseGet(() -> config.findReal("partial_rotary_factor").orElse(1));
    return (int) (part * nEmbd) / nHead;
  }

  @Override
  public void parameters(GgufWriter out, OutputType type) {
    String a = architecture();
    out.u32(a + ".context_length", config.integer("max_position_embeddings"));
    out.u32(a + ".rope.scaling.original_context_length", originalContext());
    out.u32(a + ".embedding_length", nEmbd);
    out.u32(a + ".feed_forward_length", config.integer("intermediate_size"));
    out.u32(a + ".block_count", nBlock);
    out.u32(a + ".attention.head_count", nHead);
    out.u32(a + ".attention.head_count_kv", nHeadKv);
    out.f32(a + ".attention.layer_norm_rms_epsilon", (float) config.real("rms_norm_eps"));
    out.u32(a + ".rope.dimension_count", rotated());
    out.f32(a + ".rope.freq_base", (float) rope.theta());
    out.u32("general.file_type", type.fileType());
    // zero tells Phi-4 from the others
    out.u32(a + ".attention.sliding_window", config.findInteger("sliding_window").orElse(0));
    if (rope.findFloats("long_factor").isPresent()) {
      out.f32(a + ".rope.scaling.attn_factor", (float) attentionFactor());
    }
  }

  private double attentionFactor() {
    double scale = (double) config.integer("max_position_embeddings") / originalContext();
    if (scale <= 1) {
      return 1;
    }
    return switch (rope.type()) {
      case "su", "longrope" -> Math.sqrt(1 + Math.log(scale) / Math.log(originalContext()));
      case "yarn" -> 0.1 * Math.log(scale) + 1;
      default -> throw config.invalid("rope_scaling.type", "su, longrope or yarn", rope.type());
    };
  }

  @Override
  protected List<TargetTensor> extraTensors() {
    return rope.longAndShort(rotated());
  }
}
