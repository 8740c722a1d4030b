package dev.ocellus.convert.model.gemma;

import com.fasterxml.jackson.databind.JsonNode;
import dev.ocellus.convert.hf.HfConfig;
import dev.ocellus.gguf.GgufWriter;
import java.util.ArrayList;
import java.util.List;

/** What the attention of Gemma 2 and 3 has in checkpoints, and llama.cpp takes for granted. */
final class GemmaAttention {
  private final HfConfig config;
  private final int nBlock;
  private final int usualPeriod;

  /**
   * @param usualPeriod how often a layer has no sliding window where the file does not say
   */
  GemmaAttention(HfConfig config, int nBlock, int usualPeriod) {
    this.config = config;
    this.nBlock = nBlock;
    this.usualPeriod = usualPeriod;
  }

  /** Writes which layers have no sliding window, where it is not every {@code usualPeriod}-th. */
  void writePeriod(GgufWriter out, String architecture) {
    int period = period();
    if (period != usualPeriod) {
      out.u32(architecture + ".attention.sliding_window_pattern", period);
    }
  }

  /** Every how-many-th layer has no window. */
  int period() {
    List<Boolean> full = new ArrayList<>();
    JsonNode types = config.find("layer_types");
    if (types == null || !types.isArray()) {
      return config.integerOr("sliding_window_pattern", usualPeriod);
    }
    types.forEach(t -> full.add(t.asText().equals("full_attention")));
    int period = full.contains(true) ? full.indexOf(true) + 1 : nBlock + 1;
    for (int i = 0; i < full.size(); i++) {
      if (full.get(i) != ((i + 1) % period == 0)) {
        throw config.invalid(
            "layer_types", "full_attention in every n-th layer, as llama.cpp has it", "" + types);
      }
    }
    // a model too short for a layer without a window may have any longer period
    return period > nBlock && usualPeriod > nBlock ? usualPeriod : period;
  }

  /**
   * What queries are to be multiplied by, since llama.cpp divides products by the root of the
   * head's size, or of width through heads for models of as many layers as the largest has.
   */
  float queryScale(int nHead, int nEmbd, int headDim, int layersOfTheLargest) {
    double wanted = config.findReal("query_pre_attn_scalar").orElse(headDim);
    if (wanted <= 0) {
      throw config.invalid("query_pre_attn_scalar", "a number above 0", "" + wanted);
    }
    int done = nBlock == layersOfTheLargest ? nEmbd / nHead : headDim;
    return (float) Math.sqrt(done / wanted);
  }
}
