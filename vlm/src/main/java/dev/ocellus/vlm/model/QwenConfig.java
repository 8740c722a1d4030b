package dev.ocellus.vlm.model;

import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.vision.ConfigReader;

/**
 * Sizes of a Qwen-VL tower.
 *
 * @param nEmbd width
 * @param nHead attention heads
 * @param nLayer layers
 */
record QwenConfig(int nEmbd, int nHead, int nLayer) {
  /**
   * Of all norms. It is fixed in the reference; what converters write to {@code
   * attention.layer_norm_epsilon} is the text model's.
   */
  static final float EPS = 1e-6f;

  static QwenConfig of(GgufMetadata metadata) {
    var c = new ConfigReader(metadata, "clip.vision.");
    int nEmbd = c.integer("embedding_length", 1, 1 << 16);
    int nHead = c.integer("attention.head_count", 1, nEmbd);
    if (nEmbd % (4 * nHead) != 0) {
      throw c.invalid(
          "attention.head_count",
          "heads of a width that is a multiple of 4, of " + nEmbd,
          Integer.toString(nHead));
    }
    return new QwenConfig(nEmbd, nHead, c.integer("block_count", 1, 1024));
  }

  int dHead() {
    return nEmbd / nHead;
  }
}
