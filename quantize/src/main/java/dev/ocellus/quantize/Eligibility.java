package dev.ocellus.quantize;

import dev.ocellus.gguf.GgufTensor;
import java.util.List;

/**
 * Which tensors are quantized at all: matrices of weights, except those that are tiny, that route
 * between experts, or that are looked up or added instead of multiplied. The list is that of
 * llama.cpp v0.4.0.
 */
final class Eligibility {
  /** Parts of names that keep their type. */
  private static final List<String> KEPT =
      List.of(
          "_norm.weight",
          "ffn_gate_inp.weight",
          "ffn_gate_tid2eid.weight",
          "altup",
          "laurel",
          "per_layer_model_proj",
          "ssm_conv1d",
          "shortconv.conv.weight",
          "indexer.k_proj.weight",
          "indexer.q_proj.weight",
          "time_mix_first.weight",
          "time_mix_w0.weight",
          "time_mix_w1.weight",
          "time_mix_w2.weight",
          "time_mix_v0.weight",
          "time_mix_v1.weight",
          "time_mix_v2.weight",
          "time_mix_a0.weight",
          "time_mix_a1.weight",
          "time_mix_a2.weight",
          "time_mix_g1.weight",
          "time_mix_g2.weight",
          "time_mix_decay_w1.weight",
          "time_mix_decay_w2.weight",
          "time_mix_lerp_fused.weight",
          "attn_rel_b.weight",
          ".position_embd",
          "sam.pos_embd",
          "sam.neck.",
          "sam.net_",
          ".rel_pos",
          ".patch_embd",
          ".patch_merger",
          "a.rvq.codebook",
          "mm.a.code_embd");

  private Eligibility() {}

  static boolean allows(GgufTensor t, QuantizeOptions options) {
    String name = t.name();
    return options.recipe() != Recipe.COPY
        && Shapes.nDims(t) >= 2
        && name.endsWith("weight")
        && !(options.leaveOutputTensor() && name.equals("output.weight"))
        && !name.equals("position_embd.weight")
        && !name.equals("token_types.weight")
        && KEPT.stream().noneMatch(name::contains);
  }
}
