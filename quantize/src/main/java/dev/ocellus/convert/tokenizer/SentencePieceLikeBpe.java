package dev.ocellus.convert.tokenizer;

import dev.ocellus.convert.hf.HfFolder;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;
import java.nio.file.Path;
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
    Path source = folder.file("tokenizer.json");
    Vocabulary tokens = new Vocabulary(nVocab);
    json.vocabulary.forEach((text, id) -> {
      TokenKind kind =
          BYTE.matcher(text).matches()
              ? TokenKind.BYTE
              : text.equals(unknown) ? TokenKind.UNKNOWN : TokenKind.NORMAL;
      // what no merge makes is a character alone, which is never the result of a merge
      int order = rank.getOrDefault(text, json.merges.size());
      tokens.set(source, id, text, kind == TokenKind.NORMAL ? -order : 0, kind);
    });
    for (TokenizerJson.Added t : BpeVocabulary.added(folder.json("tokenizer_config.json"), json)) {
      tokens.requireRow(source, t.content(), t.id());
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
}
