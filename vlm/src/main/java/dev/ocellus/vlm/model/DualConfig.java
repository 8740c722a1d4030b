package dev.ocellus.vlm.model;

import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.dual.Similarity;
import dev.ocellus.vlm.model.tower.TextTower;
import dev.ocellus.vlm.tokenizer.TextTokenizer;
import dev.ocellus.vlm.vision.ConfigReader;
import dev.ocellus.vlm.vision.InvalidConfigException;

/** What families of dual encoders read and check alike. */
final class DualConfig {
  private DualConfig() {}

  /**
   * How vectors are compared: {@code clip.logit_scale}, whose exponential is taken as the
   * checkpoints hold its logarithm, and {@code clip.logit_bias}.
   *
   * @param logScale where the file has none
   */
  static Similarity similarity(GgufMetadata metadata, double logScale, Similarity.Rule rule) {
    float stored = metadata.f32("clip.logit_scale", (float) logScale);
    float bias = metadata.f32("clip.logit_bias", 0);
    float scale = (float) Math.exp(stored);
    if (!Float.isFinite(scale) || !Float.isFinite(bias)) {
      throw new ConfigReader(metadata, "clip.")
          .invalid(
              "logit_scale, logit_bias",
              "finite numbers, also of the exponential of the first",
              stored + ", " + bias);
    }
    return new Similarity(scale, bias, rule);
  }

  /** Every token must have a row in the table of the tower. */
  static void requireRows(TextTokenizer tokenizer, TextTower tower) {
    requireRows(tokenizer, tower.nTokens());
  }

  /** Every token must have one of so many rows. */
  static void requireRows(TextTokenizer tokenizer, int nRows) {
    if (tokenizer.size() > nRows) {
      throw new InvalidConfigException(
          "tokenizer.ggml.tokens: expected at most %d tokens, as t.token_embd.weight has rows, found %d. The file is damaged or was converted wrongly."
              .formatted(nRows, tokenizer.size()));
    }
  }
}
