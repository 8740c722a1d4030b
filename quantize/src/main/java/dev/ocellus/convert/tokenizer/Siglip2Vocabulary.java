package dev.ocellus.convert.tokenizer;

import dev.ocellus.convert.hf.HfConfig;
import dev.ocellus.convert.hf.HfFolder;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;
import java.nio.file.Path;

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
    Path source = folder.file("tokenizer.json");
    Vocabulary tokens = new Vocabulary(nVocab);
    String unknown =
        json.model.containsKey("unk_token") ? json.model.get("unk_token").asText() : "<unk>";
    json.vocabulary.forEach((text, id) -> {
      TokenKind kind =
          text.matches("<0x[0-9A-Fa-f]{2}>")
              ? TokenKind.BYTE
              : text.equals(unknown) ? TokenKind.UNKNOWN : TokenKind.NORMAL;
      tokens.set(source, id, text, 0, kind);
    });
    for (TokenizerJson.Added t : json.added) {
      tokens.set(
          source, t.id(), t.content(), 0, t.special() ? TokenKind.CONTROL : TokenKind.USER_DEFINED);
    }
    tokens.write(out, "siglip2", "default", false);
    out.strings("tokenizer.ggml.merges", json.merges);
    out.u32("tokenizer.ggml.unknown_token_id", json.vocabulary.getOrDefault(unknown, 0));
    out.bool("tokenizer.ggml.normalizer.lowercase", lowerCases());
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
