package dev.ocellus.convert.model.dual;

import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.model.base.TargetTensor;
import dev.ocellus.convert.model.base.VisionModel;
import java.util.List;

/** The head that pools SigLIP's image states, as transformers holds it. The names are ours. */
final class SiglipHead {
  static final String[] NAMES = {
    "head.probe v.head.probe",
    "head.attention.out_proj v.head.attn_out",
    "head.layernorm v.head.ln",
    "head.mlp.fc1 v.head.ffn_up",
    "head.mlp.fc2 v.head.ffn_down"
  };

  private static final String IN = "head.attention.in_proj_";

  private SiglipHead() {}

  /** What becomes of a tensor that no table of names can place; empty for every other. */
  static List<TargetTensor> map(VisionModel model, String name, LazyTensor tensor) {
    if (name.startsWith(IN)) {
      String ending = "." + name.substring(IN.length());
      return model.thirds(
          tensor, "v.head.attn_q" + ending, "v.head.attn_k" + ending, "v.head.attn_v" + ending);
    }
    return name.equals("head.probe")
        ? List.of(new TargetTensor("v.head.probe", tensor.reshape(tensor.count())))
        : List.of();
  }
}
