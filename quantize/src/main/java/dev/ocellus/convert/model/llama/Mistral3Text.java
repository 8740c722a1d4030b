package dev.ocellus.convert.model.llama;

import dev.ocellus.convert.common.OutputType;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.gguf.GgufWriter;

/**
 * The language model of Mistral Small 3.1 and Ministral 3: Llama with a temperature on positions.
 */
public final class Mistral3Text extends LlamaText {
  public Mistral3Text(Context context) {
    super(context);
  }

  @Override
  public String architecture() {
    return "mistral3";
  }

  @Override
  public void parameters(GgufWriter out, OutputType type) {
    super.parameters(out, type);
    rope.find("mscale_all_dim")
        .ifPresent(v -> out.f32("mistral3.rope.scaling.yarn_log_multiplier", (float) v));
    rope.find("llama_4_scaling_beta")
        .ifPresent(v -> out.f32("mistral3.attention.temperature_scale", (float) v));
  }
}
