package dev.ocellus.quantize;

import dev.ocellus.gguf.GgufArray;
import dev.ocellus.gguf.GgufString;
import dev.ocellus.gguf.GgufValue;
import java.util.Map;

/**
 * The sizes of a model that decide between types.
 *
 * @param architecture {@code general.architecture}
 * @param nLayer blocks; 0 for an image encoder, whose metadata llama.cpp does not read here
 * @param nExpert experts of a mixture; 0 for a dense model
 * @param nGqa heads that share one key and value; 0 where there are none
 * @param grouped70b whether it is of the shape of Llama 2 70B, whose value weights are small
 */
record ModelTraits(String architecture, int nLayer, int nExpert, int nGqa, boolean grouped70b) {

  static ModelTraits of(Map<String, GgufValue> metadata) {
    String arch = metadata.get("general.architecture") instanceof GgufString s ? s.value() : "";
    if (arch.equals("clip") || arch.isEmpty()) {
      return new ModelTraits(arch, 0, 0, 0, false);
    }
    int nLayer = integer(metadata, arch + ".block_count", 0);
    int nHead = integer(metadata, arch + ".attention.head_count", 0);
    int nHeadKv = integer(metadata, arch + ".attention.head_count_kv", nHead);
    boolean grouped70b =
        switch (arch) {
          case "llama" -> nLayer == 80 && nHead != nHeadKv;
          case "qwen2", "deci", "olmo" -> nLayer == 80;
          case "jais2" -> nLayer == 68;
          default -> false;
        };
    return new ModelTraits(
        arch,
        nLayer,
        integer(metadata, arch + ".expert_count", 0),
        nHeadKv == 0 ? 0 : nHead / nHeadKv,
        grouped70b);
  }

  /** A number, or the first of an array that has one for every layer. */
  private static int integer(Map<String, GgufValue> metadata, String key, int defaultValue) {
    GgufValue v = metadata.get(key);
    long n =
        switch (v) {
          case GgufValue.Int i -> i.value();
          case GgufArray a when a.elementType().isInteger() && a.length() > 0 -> a.longAt(0);
          case null, default -> defaultValue;
        };
    return (int) Math.clamp(n, 0, Integer.MAX_VALUE);
  }
}
