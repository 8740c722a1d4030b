package dev.ocellus.convert.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import dev.ocellus.convert.hf.HfFolder;
import java.io.IOException;
import java.util.Map;

/**
 * The tokens of a SentencePiece model, with those added that {@code added_tokens.json} and {@code
 * tokenizer_config.json} name. Ids beyond the model's embedding are left out.
 */
final class SentencePieceVocabulary {
  private static final float ADDED_SCORE = -1000;

  private final SentencePieceModel model;
  private final Vocabulary tokens;

  SentencePieceVocabulary(HfFolder folder, int nVocab, String file) throws IOException {
    model = SentencePieceModel.read(folder.file(file));
    tokens = new Vocabulary(nVocab);
    for (int i = 0; i < Math.min(nVocab, model.pieces.size()); i++) {
      SentencePieceModel.Piece p = model.pieces.get(i);
      tokens.set(i, p.text(), p.score(), kind(p.kind()));
    }
    for (Map.Entry<String, JsonNode> e : folder.json("added_tokens.json").properties()) {
      int id = e.getValue().canConvertToInt() ? e.getValue().asInt(-1) : -1;
      if (id >= 0 && id < nVocab) {
        tokens.set(id, e.getKey(), ADDED_SCORE, TokenKind.USER_DEFINED);
      }
    }
    for (Map.Entry<String, JsonNode> e :
        folder.json("tokenizer_config.json").path("added_tokens_decoder").properties()) {
      JsonNode content = e.getValue().path("content");
      int id = BpeVocabulary.idOf(e.getKey());
      if (content.isTextual() && id >= 0 && id < nVocab) {
        added(id, content.asText(), e.getValue().path("special").asBoolean(false));
      }
    }
  }

  private void added(int id, String text, boolean special) {
    boolean control = special || Vocabulary.looksSpecial(text);
    tokens.set(
        id,
        control ? text : Vocabulary.withSpaces(text),
        ADDED_SCORE,
        control ? TokenKind.CONTROL : TokenKind.USER_DEFINED);
  }

  /**
   * Pieces that SentencePiece itself calls user-defined count as normal ones in llama.cpp's files.
   */
  private static TokenKind kind(int kind) {
    for (TokenKind k : TokenKind.values()) {
      if (k.id == kind && k != TokenKind.USER_DEFINED) {
        return k;
      }
    }
    return TokenKind.NORMAL;
  }

  SentencePieceModel model() {
    return model;
  }

  Vocabulary tokens() {
    return tokens;
  }

  /** The id of a token, or -1. */
  int find(String text) {
    for (int i = 0; i < tokens.size(); i++) {
      if (tokens.text(i).equals(text)) {
        return i;
      }
    }
    return -1;
  }

  /** InternLM2 keeps places free, and has a token of a NUL, which no C program can hold. */
  void unusedPlaceholders() {
    for (int i = 0; i < Math.min(tokens.size(), model.pieces.size()); i++) {
      SentencePieceModel.Piece p = model.pieces.get(i);
      if (p.text().equals("\0")) {
        tokens.set(i, "\ud83d\udc09", p.score(), kind(p.kind()));
      } else if (p.text().startsWith("[UNUSED") && tokens.text(i).equals(p.text())) {
        tokens.setKind(i, TokenKind.UNUSED);
      }
    }
  }
}
