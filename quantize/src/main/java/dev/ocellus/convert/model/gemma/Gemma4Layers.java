package dev.ocellus.convert.model.gemma;

import com.fasterxml.jackson.databind.JsonNode;
import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.convert.hf.HfConfig;
import dev.ocellus.gguf.GgufArray;
import dev.ocellus.gguf.GgufWriter;
import java.util.stream.IntStream;

/**
 * How the layers of a Gemma 4 differ: those with a sliding window have smaller heads than the
 * others, maybe another number of those, and the last ones take the keys and values of earlier
 * ones, and may have wider feed-forward blocks.
 *
 * @param hasWindow for each layer
 * @param nOwn layers with keys and values of their own
 */
record Gemma4Layers(
    boolean[] hasWindow,
    int nOwn,
    int headSize,
    int windowHeadSize,
    int nHeadKv,
    int windowHeadKv,
    int nFf,
    boolean doubleWide,
    boolean keysAreValues) {
  private static final String FULL = "full_attention";
  private static final String SLIDING = "sliding_attention";

  /**
   * @throws ConversionException for layers that do not exist
   */
  static Gemma4Layers of(HfConfig config, int nLayer) {
    boolean[] hasWindow = windows(config, nLayer);
    int nShared = config.findInteger("num_kv_shared_layers").orElse(0);
    if (nShared > nLayer - 2) {
      throw config.invalid("num_kv_shared_layers", "at most " + (nLayer - 2), "" + nShared);
    }
    boolean keysAreValues = config.flag("attention_k_eq_v", false);
    int windowHeadKv = config.integer("num_key_value_heads");
    int own = config.findInteger("num_global_key_value_heads").orElse(windowHeadKv);
    int nHeadKv = keysAreValues ? own : windowHeadKv;
    return new Gemma4Layers(
        hasWindow,
        nLayer - nShared,
        ofFullLayers(config, "head_dim", config.findInteger("global_head_dim").orElse(512)),
        config.integer("head_dim"),
        ofFullLayers(config, "num_key_value_heads", nHeadKv),
        windowHeadKv,
        config.integer("intermediate_size"),
        config.flag("use_double_wide_mlp", false),
        keysAreValues);
  }

  private static boolean[] windows(HfConfig config, int nLayer) {
    boolean[] hasWindow = new boolean[nLayer];
    JsonNode types = config.find("layer_types");
    for (int i = 0; i < nLayer; i++) {
      String usual = (i + 1) % 6 == 0 ? FULL : SLIDING;
      String type = types == null ? usual : types.path(i).asText();
      if (types != null && types.size() != nLayer || !(type.equals(FULL) || type.equals(SLIDING))) {
        throw config.invalid(
            "layer_types", SLIDING + " or " + FULL + " for each of " + nLayer, "" + types);
      }
      hasWindow[i] = type.equals(SLIDING);
    }
    hasWindow[nLayer - 1] = false; // whatever the file says
    return hasWindow;
  }

  /** Later files say for each layer what is not as in the others. */
  private static int ofFullLayers(HfConfig config, String key, int otherwise) {
    JsonNode layers = config.find("per_layer_config");
    if (layers == null) {
      return otherwise;
    }
    for (JsonNode layer : layers) {
      if (layer.path(key).isIntegralNumber() && layer.get(key).asInt() > 0) {
        return layer.get(key).asInt();
      }
    }
    return key.equals("head_dim") ? config.integer("head_dim") : otherwise;
  }

  int headSize(int layer) {
    return hasWindow[layer] ? windowHeadSize : headSize;
  }

  int nHeadKv(int layer) {
    return hasWindow[layer] ? windowHeadKv : nHeadKv;
  }

  int nFf(int layer) {
    return doubleWide && layer >= nOwn ? 2 * nFf : nFf;
  }

  boolean hasKeys(int layer) {
    return layer < nOwn;
  }

  boolean hasValues(int layer) {
    return hasKeys(layer) && !(keysAreValues && !hasWindow[layer]);
  }

  void write(GgufWriter out, String a) {
    int n = hasWindow.length;
    if (doubleWide) {
      out.ints(a + ".feed_forward_length", IntStream.range(0, n).map(this::nFf).toArray());
    } else {
      out.u32(a + ".feed_forward_length", nFf);
    }
    if (nHeadKv == windowHeadKv) {
      out.u32(a + ".attention.head_count_kv", nHeadKv);
    } else {
      out.ints(a + ".attention.head_count_kv", IntStream.range(0, n).map(this::nHeadKv).toArray());
    }
    out.u32(a + ".attention.key_length", headSize);
    out.u32(a + ".attention.value_length", headSize);
    out.u32(a + ".attention.key_length_swa", windowHeadSize);
    out.u32(a + ".attention.value_length_swa", windowHeadSize);
    out.u32(a + ".attention.shared_kv_layers", n - nOwn);
    out.put(a + ".attention.sliding_window_pattern", GgufArray.ofBooleans(hasWindow));
  }
}
