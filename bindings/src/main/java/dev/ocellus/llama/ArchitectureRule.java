package dev.ocellus.llama;

/** Checks of single architectures, by what libllama's graph would end the process on. */
final class ArchitectureRule {
  private static final int MAX_LAYERS = 512;
  private static final float USUAL_BASE = 10_000;
  private static final String LEADING_DENSE = "leading_dense_block_count";

  private ArchitectureRule() {}

  /** The loader takes one tensor for queries, keys and values, too; the graph wants three. */
  static void separateQueries(ModelKeys keys, int nLayer, int nEmbd) {
    for (int i = 0; i < nLayer; i++) {
      for (String name : new String[] {"attn_q", "attn_k", "attn_v"}) {
        keys.requireTensor("blk.%d.%s.weight".formatted(i, name));
      }
    }
  }

  /** The loader does without queries, keys and values, and the graph does not. */
  static void someQueries(ModelKeys keys, int nLayer, int nEmbd) {
    for (int i = 0; i < nLayer; i++) {
      if (!keys.hasTensor("blk.%d.attn_qkv.weight".formatted(i))) {
        for (String name : new String[] {"attn_q", "attn_k", "attn_v"}) {
          keys.requireTensor("blk.%d.%s.weight".formatted(i, name));
        }
      }
    }
  }

  /** The first blocks may have no experts. */
  static void leadingDense(ModelKeys keys, int nLayer, int nEmbd) {
    keys.optionalRange(LEADING_DENSE, 0, MAX_LAYERS);
  }

  /** A model without experts is dense in all blocks: the loader divides by what each token uses. */
  static void expertsWhereNotDense(ModelKeys keys, int nLayer, int nEmbd) {
    if (keys.optional("expert_count", 0) == 0) {
      keys.required(LEADING_DENSE, nLayer, MAX_LAYERS);
    }
    keys.uniform("expert_feed_forward_length", nLayer, 0, 1 << 26);
    keys.required("expert_shared_count", 0, 1024);
  }

  /** Loader and graph agree on which blocks have experts only if all behind the dense ones do. */
  static void expertsInEveryBlock(ModelKeys keys, int nLayer, int nEmbd) {
    keys.required("interleave_moe_layer_step", 1, 1);
  }

  /** The norm of all keys is as wide as that of all queries. */
  static void ownKeys(ModelKeys keys, int nLayer, int nEmbd) {
    int nHead = keys.uniform(AttentionBlocks.HEADS, nLayer, 1, AttentionBlocks.MAX_HEADS);
    if (keys.has(AttentionBlocks.HEADS_KV)) {
      keys.uniform(AttentionBlocks.HEADS_KV, nLayer, nHead, nHead);
    }
  }

  /** The graph stops at any other base of rotary positions. */
  static void usualBase(ModelKeys keys, int nLayer, int nEmbd) {
    String name = "rope.freq_base";
    float base = keys.metadata().f32(keys.key(name), USUAL_BASE);
    keys.require(Math.abs(base - USUAL_BASE) < 1e-4, name, "10000", base);
  }

  /** The graph would rotate by axes of positions that it does not get. */
  static void noSections(ModelKeys keys, int nLayer, int nEmbd) {
    String name = "rope.dimension_sections";
    for (long s : keys.metadata().findIntegers(keys.key(name)).orElse(new long[0])) {
      keys.require(s == 0, name, "none, or 0 for all axes", s);
    }
  }

  /** A function for the weights of experts that the graph knows. */
  static void knownGating(ModelKeys keys, int nLayer, int nEmbd) {
    keys.required("expert_gating_func", 1, 4);
  }

  /** The graph divides positions by the one as soon as the other is there. */
  static void temperature(ModelKeys keys, int nLayer, int nEmbd) {
    String scale = "attention.temperature_scale";
    if (keys.metadata().f32(keys.key(scale), 0) != 0) {
      keys.size("attention.temperature_length", 1 << 28);
    }
  }

  /**
   * Every fourth block scales by a temperature: libllama fills that input even if no block takes
   * it, and without windows, the last block takes it while the loader leaves it at 0.
   */
  static void chunks(ModelKeys keys, int nLayer, int nEmbd) {
    keys.require(nLayer >= 4, "block_count", "4 or more", nLayer);
    keys.optionalRange("attention.sliding_window", 1, 1 << 24);
    keys.optionalRange("interleave_moe_layer_step", 0, MAX_LAYERS);
  }
}
