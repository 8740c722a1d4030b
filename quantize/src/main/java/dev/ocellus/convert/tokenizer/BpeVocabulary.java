package dev.ocellus.convert.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import dev.ocellus.convert.hf.HfFolder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;

/** The tokens of a byte-level BPE: those of the model, then those that were added. */
final class BpeVocabulary {
  private final HfFolder folder;
  private final TokenizerJson json;
  private final int nVocab;

  BpeVocabulary(HfFolder folder, TokenizerJson json, int nVocab) {
    this.folder = folder;
    this.json = json;
    this.nVocab = nVocab;
  }

  Vocabulary tokens() throws IOException {
    Path source = folder.file("tokenizer.json");
    Vocabulary out = new Vocabulary(nVocab);
    json.vocabulary.forEach((text, id) -> out.set(source, id, text, 0, TokenKind.NORMAL));
    for (TokenizerJson.Added t : added(folder.json("tokenizer_config.json"), json)) {
      out.requireRow(source, t.content(), t.id());
      boolean control = t.special() || Vocabulary.looksSpecial(t.content());
      out.set(
          t.id(),
          control ? t.content() : Vocabulary.withSpaces(t.content()),
          0,
          control ? TokenKind.CONTROL : TokenKind.USER_DEFINED);
    }
    return out;
  }

  /** Added tokens of both files; what {@code tokenizer_config.json} says of one counts. */
  static Iterable<TokenizerJson.Added> added(JsonNode tokenizerConfig, TokenizerJson json) {
    Map<Integer, TokenizerJson.Added> out = new TreeMap<>();
    json.added.forEach(t -> out.put(t.id(), t));
    for (Map.Entry<String, JsonNode> e :
        tokenizerConfig.path("added_tokens_decoder").properties()) {
      JsonNode content = e.getValue().path("content");
      int id = idOf(e.getKey());
      if (content.isTextual() && id >= 0) {
        out.put(
            id,
            new TokenizerJson.Added(
                id, content.asText(), e.getValue().path("special").asBoolean(false)));
      }
    }
    return out.values();
  }

  /** The number that a key of an object says, or -1. */
  static int idOf(String key) {
    try {
      return Integer.parseInt(key);
    } catch (NumberFormatException e) {
      return -1;
    }
  }
}
