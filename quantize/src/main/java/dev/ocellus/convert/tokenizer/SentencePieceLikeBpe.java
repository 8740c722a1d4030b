package dev.ocellus.convert.tokenizer;

import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.convert.hf.HfFolder;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * A SentencePiece BPE that only exists as {@code tokenizer.json} (Llama 2's and Gemma's kind: bytes
 * as {@code <0x0A>}, spaces as U+2581). llama.cpp merges by the score of the result, so the order
 * of the merges becomes the scores.
 */
final class SentencePieceLikeBpe {
  private static final Pattern BYTE = Pattern.compile("<0x[0-9A-Fa-f]{2}>");
  private static final float ADDED_SCORE = -1000;

  private final HfFolder folder;
  private final TokenizerJson json;
  private final int nVocab;

  SentencePieceLikeBpe(HfFolder folder, TokenizerJson json, int nVocab) {
    this.folder = folder;
    this.json = json;
    this.nVocab = nVocab;
  }

  void write(GgufWriter out) throws IOException {
    Map<String, Integer> rank = new HashMap<>();
    for (int i = 0; i < json.merges.size(); i++) {
      rank.putIfAbsent(result(json.merges.get(i)), i);
    }
    String unknown =
        json.model.containsKey("unk_token") ? json.model.get("unk_token").asText() : "<unk>";
    Vocabulary tokens = new Vocabulary(nVocab);
    json.vocabulary.forEach((text, id) -> {
      requireInside(text, id);
      TokenKind kind =
          BYTE.matcher(text).matches()
              ? TokenKind.BYTE
              : text.equals(unknown) ? TokenKind.UNKNOWN : TokenKind.NORMAL;
      // what no merge makes is a character alone, which is never the result of a merge
      int order = rank.getOrDefault(text, json.merges.size());
      tokens.set(id, text, kind == TokenKind.NORMAL ? -order : 0, kind);
    });
    for (TokenizerJson.Added t : BpeVocabulary.added(folder.json("tokenizer_config.json"), json)) {
      requireInside(t.content(), t.id());
      boolean control = t.special() || Vocabulary.looksSpecial(t.content());
      if (control && t.content().equals(unknown)) {
        continue;
      }
      tokens.set(
          t.id(),
          control ? t.content() : Vocabulary.withSpaces(t.content()),
          ADDED_SCORE,
          control ? TokenKind.CONTROL : TokenKind.USER_DEFINED);
    }
    tokens.writeSentencePiece(out, folder.file("tokenizer.json"));
    if (!addsSpace()) {
      out.bool("tokenizer.ggml.add_space_prefix", false);
    }
  }

  /** Files say in different parts whether a space goes in front of a text. */
  private boolean addsSpace() {
    String normalizer = json.part("normalizer").toString();
    String pre = json.part("pre_tokenizer").toString();
    return normalizer.contains("\"Prepend\"")
        || pre.contains("\"prepend_scheme\":\"first\"")
        || pre.contains("\"prepend_scheme\":\"always\"")
        || pre.contains("\"add_prefix_space\":true");
  }

  private static String result(String merge) {
    int space = merge.indexOf(' ');
    return space < 0 ? merge : merge.substring(0, space) + merge.substring(space + 1);
  }

  private void requireInside(String text, int id) {
    if (id >= nVocab) {
      throw ConversionException.at(
          folder.file("tokenizer.json"),
          "token '%s'".formatted(text.length() <= 64 ? text : text.substring(0, 64) + "…"),
          "an id below the %d rows of the embedding".formatted(nVocab),
          Integer.toString(id),
          "Tokenizer and model are not of one checkpoint.");
    }
  }
}
