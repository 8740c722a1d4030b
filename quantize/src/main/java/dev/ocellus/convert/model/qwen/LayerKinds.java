package dev.ocellus.convert.model.qwen;

import com.fasterxml.jackson.databind.JsonNode;
import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.convert.hf.HfConfig;
import dev.ocellus.gguf.GgufArray;
import dev.ocellus.gguf.GgufWriter;
import java.util.Arrays;

/**
 * Which layers of a Qwen3.5 are linear: those that {@code layer_types} says, else all but every
 * n-th.
 */
final class LayerKinds {
  private static final int USUAL_INTERVAL = 4;
  private static final String TYPES = "layer_types";

  private final boolean[] linear;

  private LayerKinds(boolean[] linear) {
    this.linear = linear;
  }

  /**
   * @throws ConversionException if a layer is of another kind, or all are of one, which libllama
   *     cannot run
   */
  static LayerKinds of(HfConfig config, int nLayer) {
    boolean[] linear = new boolean[nLayer];
    JsonNode types = config.find(TYPES);
    if (types == null) {
      int interval = config.findInteger("full_attention_interval").orElse(USUAL_INTERVAL);
      if (interval < 1) {
        throw config.invalid("full_attention_interval", "at least 1", "" + interval);
      }
      linear = everyNth(nLayer, interval);
    } else {
      for (int i = 0; i < nLayer; i++) {
        String type = types.path(i).asText();
        linear[i] = type.equals("linear_attention");
        if (types.size() != nLayer || !(linear[i] || type.equals("full_attention"))) {
          throw config.invalid(
              TYPES, "linear_attention or full_attention for each of " + nLayer, "" + types);
        }
      }
    }
    int n = 0;
    for (boolean l : linear) {
      n += l ? 1 : 0;
    }
    if (n == 0 || n == nLayer) {
      throw config.invalid(
          TYPES, "both kinds, as llama.cpp needs them", n + " linear ones of " + nLayer);
    }
    return new LayerKinds(linear);
  }

  private static boolean[] everyNth(int nLayer, int interval) {
    boolean[] linear = new boolean[nLayer];
    for (int i = 0; i < nLayer; i++) {
      linear[i] = (i + 1) % interval != 0;
    }
    return linear;
  }

  boolean isLinear(int layer) {
    return linear[layer];
  }

  /** The interval where there is one, else each layer. */
  void write(GgufWriter out, String architecture) {
    int interval = 1;
    while (linear[interval - 1]) {
      interval++;
    }
    if (Arrays.equals(linear, everyNth(linear.length, interval))) {
      out.u32(architecture + ".full_attention_interval", interval);
    } else {
      out.put(architecture + ".attention.recurrent_layers", GgufArray.ofBooleans(linear));
    }
  }
}
