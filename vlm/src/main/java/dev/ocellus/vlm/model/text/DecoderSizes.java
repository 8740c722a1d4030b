package dev.ocellus.vlm.model.text;

import dev.ocellus.ggml.Weights;
import dev.ocellus.vlm.vision.ConfigReader;

/**
 * Sizes of a decoder in the manner of LLaMA.
 *
 * @param architecture that its keys begin with
 * @param nTokens rows of the embedding
 * @param width of an embedding
 * @param nCtxTrain tokens of context that it was trained with
 * @param nHead heads of queries, a multiple of {@code nHeadKv}
 * @param nHeadKv heads of keys and values
 * @param headWidth of a head, even
 * @param nLayers blocks
 * @param eps of the norms
 */
record DecoderSizes(
    String architecture,
    int nTokens,
    int width,
    int nCtxTrain,
    int nHead,
    int nHeadKv,
    int headWidth,
    int nLayers,
    float eps) {
  static final int MAX = 1 << 20;

  /** Reads and checks them. */
  static DecoderSizes of(String architecture, ConfigReader c, Weights w) {
    int width = c.integer("embedding_length", 1, MAX);
    int nHead = c.integer("attention.head_count", 1, width);
    int nHeadKv = c.integer("attention.head_count_kv", 1, nHead, nHead);
    int headWidth = c.integer("attention.key_length", 1, MAX, width / nHead);
    if (nHead % nHeadKv != 0) {
      throw c.invalid("attention.head_count_kv", "a divisor of " + nHead, String.valueOf(nHeadKv));
    }
    if (headWidth % 2 != 0) {
      throw c.invalid("attention.key_length", "an even number", String.valueOf(headWidth));
    }
    return new DecoderSizes(
        architecture,
        w.outputs("token_embd.weight"),
        width,
        c.integer("context_length", 1, Integer.MAX_VALUE),
        nHead,
        nHeadKv,
        headWidth,
        c.integer("block_count", 1, 1024),
        c.positive("attention.layer_norm_rms_epsilon", 1e-5f));
  }

  /** One line for people. */
  String description() {
    return "%s, %d layers of %d, as a graph".formatted(architecture, nLayers, width);
  }
}
