package dev.ocellus.convert.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import dev.ocellus.gguf.GgufWriter;

/** What llama.cpp knows of normalizing text before it is cut: lower case, and accents taken off. */
final class Normalizers {
  private static final String LOWERCASE = "tokenizer.ggml.normalizer.lowercase";
  private static final String STRIP_ACCENTS = "tokenizer.ggml.normalizer.strip_accents";

  private Normalizers() {}

  static void write(GgufWriter out, JsonNode normalizer) {
    switch (normalizer.path("type").asText()) {
      case "Lowercase" -> out.bool(LOWERCASE, true);
      case "StripAccents" -> out.bool(STRIP_ACCENTS, true);
      case "BertNormalizer" -> {
        if (normalizer.path("lowercase").isBoolean()) {
          out.bool(LOWERCASE, normalizer.get("lowercase").asBoolean());
        }
        if (normalizer.path("strip_accents").isBoolean()) {
          out.bool(STRIP_ACCENTS, normalizer.get("strip_accents").asBoolean());
        }
      }
      case "Sequence" -> normalizer.path("normalizers").forEach(n -> write(out, n));
      default -> {} // NFC and the like are left to the text
    }
  }
}
