package dev.ocellus.convert.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.convert.hf.HfFolder;
import dev.ocellus.gguf.GgufArray;
import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.gguf.MetadataType;
import java.io.IOException;
import java.util.Base64;

/** A Unigram model of {@code tokenizer.json}: tokens with probabilities, the best path wins. */
final class UnigramVocabulary {
  private final HfFolder folder;
  private final TokenizerJson json;
  private final int nVocab;

  UnigramVocabulary(HfFolder folder, TokenizerJson json, int nVocab) {
    this.folder = folder;
    this.json = json;
    this.nVocab = nVocab;
  }

  void write(GgufWriter out) throws IOException {
    write(out, "t5");
  }

  /**
   * @param model {@code tokenizer.ggml.model}
   */
  void write(GgufWriter out, String model) throws IOException {
    Vocabulary tokens = new Vocabulary(nVocab);
    if (json.pieces.size() > nVocab) {
      throw ConversionException.at(
          folder.file("tokenizer.json"),
          "'model.vocab'",
          "at most %d tokens, as the embedding has rows".formatted(nVocab),
          "" + json.pieces.size(),
          "Tokenizer and model are not of one checkpoint.");
    }
    int unknown = json.model.containsKey("unk_id") ? json.model.get("unk_id").asInt(-1) : -1;
    boolean bytes = json.modelFlag("byte_fallback");
    for (int i = 0; i < json.pieces.size(); i++) {
      String text = json.pieces.get(i);
      TokenKind kind =
          i == unknown
              ? TokenKind.UNKNOWN
              : bytes && text.matches("<0x[0-9A-Fa-f]{2}>") ? TokenKind.BYTE : TokenKind.NORMAL;
      tokens.set(i, text, json.scores.get(i), kind);
    }
    for (TokenizerJson.Added t : BpeVocabulary.added(folder.json("tokenizer_config.json"), json)) {
      if (t.id() < nVocab && t.id() != unknown) {
        boolean control = t.special() || Vocabulary.looksSpecial(t.content());
        tokens.set(
            t.id(), t.content(), -1000, control ? TokenKind.CONTROL : TokenKind.USER_DEFINED);
      }
    }
    tokens.write(out, model, "default", true);
    String pre = json.part("pre_tokenizer").toString();
    out.bool(
        "tokenizer.ggml.add_space_prefix",
        !pre.contains("\"prepend_scheme\":\"never\"")
            && !pre.contains("\"add_prefix_space\":false"));
    out.bool(
        "tokenizer.ggml.remove_extra_whitespaces",
        json.part("normalizer").toString().contains(" {2,}") || pre.contains("WhitespaceSplit"));
    writeCharsmap(out, charsmap(json.part("normalizer")));
  }

  private static byte[] charsmap(JsonNode normalizer) {
    JsonNode map = normalizer.findValue("precompiled_charsmap");
    if (map == null || !map.isTextual()) {
      return new byte[0];
    }
    try {
      return Base64.getDecoder().decode(map.asText());
    } catch (IllegalArgumentException e) {
      throw new ConversionException(
          "tokenizer.json: 'precompiled_charsmap' is not Base64. Download the file again.", e);
    }
  }

  static void writeCharsmap(GgufWriter out, byte[] map) {
    if (map.length > 0) {
      long[] values = new long[map.length];
      for (int i = 0; i < map.length; i++) {
        values[i] = map[i] & 0xff;
      }
      out.put("tokenizer.ggml.precompiled_charsmap", GgufArray.ofIntegers(MetadataType.U8, values));
    }
  }
}
