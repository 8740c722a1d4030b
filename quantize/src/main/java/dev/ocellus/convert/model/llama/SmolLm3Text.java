package dev.ocellus.convert.model.llama;

import dev.ocellus.convert.model.base.Context;
import java.util.Arrays;

/**
 * SmolLM3 (<a href="https://huggingface.co/blog/smollm3">its page</a>): Llama with every fourth
 * layer without positions, which is part of the architecture in llama.cpp.
 */
public final class SmolLm3Text extends LlamaText {
  private static final int LAYERS_WITHOUT_POSITIONS = 4;

  public SmolLm3Text(Context context) {
    super(context);
    int interval = config.integerOr("no_rope_layer_interval", LAYERS_WITHOUT_POSITIONS);
    if (interval != LAYERS_WITHOUT_POSITIONS) {
      throw config.invalid(
          "no_rope_layer_interval", "4, as llama.cpp knows no other", Integer.toString(interval));
    }
    int[] turned = config.integers("no_rope_layers"); // 1 for those with positions
    for (int i = 0; i < turned.length; i++) {
      if ((turned[i] != 0) != ((i + 1) % LAYERS_WITHOUT_POSITIONS != 0)) {
        throw config.invalid(
            "no_rope_layers",
            "0 for every fourth layer, as llama.cpp has it",
            Arrays.toString(turned));
      }
    }
  }

  @Override
  public String architecture() {
    return "smollm3";
  }

  @Override
  protected boolean saysHeadDim() {
    return config.find("head_dim") != null;
  }
}
