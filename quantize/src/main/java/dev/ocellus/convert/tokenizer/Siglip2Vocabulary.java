package dev.ocellus.convert.tokenizer;

import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.convert.hf.HfConfig;
import dev.ocellus.convert.hf.HfFolder;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;

/**
 * SigLIP 2's byte pair encoding, Gemma's, with its merges, as only text towers read them. Whether
 * capital letters become small is the class's to say, and where that is a general one, the
 * normalizer's.
 */
final class Siglip2Vocabulary {
  private final HfFolder folder;
  private final TokenizerJson json;
  private final int nVocab;

  Siglip2Vocabulary(HfFolder folder, TokenizerJson json, int nVocab) {
    this.folder = folder;
    this.json = json;
    this.nVocab = nVocab;
  }

  void write(GgufWriter out) throws IOException {
    Vocabulary tokens = new Vocabulary(nVocab);
    String unknown =
        json.model.containsKey("unk_token") ? json.model.get("unk_token").asText() : "<unk>";
    json.vocabulary.forEach((text, id) -> {
      TokenKind kind =
          text.matches("<0x[0-9A-Fa-f]{2}>")
              ? TokenKind.BYTE
              : text.equals(unknown) ? TokenKind.UNKNOWN : TokenKind.NORMAL;
      set(tokens, id, text, kind);
    });
    for (TokenizerJson.Added t : json.added) {
      set(tokens, t.id(), t.content(), t.special() ? TokenKind.CONTROL : TokenKind.USER_DEFINED);
    }
    tokens.write(out, "siglip2", "default", false);
    out.strings("tokenizer.ggml.merges", json.merges);
    out.u32("tokenizer.ggml.unknown_token_id", json.vocabulary.getOrDefault(unknown, 0));
    out.bool("tokenizer.ggml.normalizer.lowercase", lowerCases());
  }

  private void set(Vocabulary tokens, int id, String text, TokenKind kind) {
    if (id >= nVocab) {
      throw ConversionException.at(
          folder.file("tokenizer.json"),
          "token '%s'".formatted(text.length() <= 64 ? text : text.substring(0, 64) + "…"),
          "an id below the %d rows of the embedding".formatted(nVocab),
          Integer.toString(id),
          "Tokenizer and model are not of one checkpoint.");
    }
    tokens.set(id, text, 0, kind);
  }

  private boolean lowerCases() throws IOException {
    HfConfig config =
        HfConfig.of(folder.file("tokenizer_config.json"), folder.json("tokenizer_config.json"));
    String name = config.findString("tokenizer_class").orElse("");
    return name.startsWith("Siglip2")
        || (!name.startsWith("Gemma")
            && json.part("normalizer").toString().contains("\"Lowercase\""));
  }
}
