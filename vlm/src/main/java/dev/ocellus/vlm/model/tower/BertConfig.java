package dev.ocellus.vlm.model.tower;

import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.vision.ConfigReader;

/**
 * Sizes of a BERT, as they stand under a prefix such as {@code clip.text.}.
 *
 * @param layers sizes of its layers
 * @param nPositions most tokens of a text
 */
public record BertConfig(LayerConfig layers, int nPositions) {
  private static final float EPS = 1e-12f;
  private static final int MAX_POSITIONS = 1 << 16;

  /**
   * Reads and checks the sizes; GELU unless the file asks for another activation.
   *
   * @throws dev.ocellus.vlm.vision.InvalidConfigException if no model can have such sizes
   * @throws dev.ocellus.gguf.GgufFormatException if one is missing
   */
  public static BertConfig of(ConfigReader c) {
    int nEmbd = TowerConfig.width(c);
    return new BertConfig(
        new LayerConfig(
            nEmbd,
            c.integer("feed_forward_length", 1, 1 << 18),
            TowerConfig.heads(c, nEmbd, 1),
            TowerConfig.layers(c),
            c.positive("attention.layer_norm_epsilon", EPS),
            c.activation(Activation.GELU)),
        c.integer("context_length", 2, MAX_POSITIONS));
  }

  /** Width of the states. */
  public int width() {
    return layers.nEmbd();
  }
}
