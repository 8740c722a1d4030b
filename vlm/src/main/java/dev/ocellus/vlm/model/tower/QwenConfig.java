package dev.ocellus.vlm.model.tower;

import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.vision.ConfigReader;

/**
 * Sizes of a Qwen-VL tower.
 *
 * @param nEmbd width
 * @param nHead attention heads
 * @param nLayer layers
 */
public record QwenConfig(int nEmbd, int nHead, int nLayer) {
  /**
   * Of all norms. It is fixed in the reference; what converters write to {@code
   * attention.layer_norm_epsilon} is the text model's.
   */
  public static final float EPS = 1e-6f;

  public static QwenConfig of(GgufMetadata metadata) {
    ConfigReader c = ConfigReader.ofVision(metadata);
    int nEmbd = TowerConfig.width(c);
    return new QwenConfig(nEmbd, TowerConfig.heads(c, nEmbd, 4), TowerConfig.layers(c));
  }

  /** Width of an attention head. */
  public int headSize() {
    return nEmbd / nHead;
  }
}
