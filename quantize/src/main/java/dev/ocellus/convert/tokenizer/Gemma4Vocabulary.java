package dev.ocellus.convert.tokenizer;

import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.convert.hf.HfFolder;
import dev.ocellus.gguf.GgufWriter;
import java.util.Set;

/**
 * Gemma 4's byte pair encoding: bytes as {@code <0x0A>}, spaces as U+2581, merged in the order of
 * its merges. Marks of calls and reasoning are ordinary tokens, so that answers show them.
 */
final class Gemma4Vocabulary {
  private static final float SCORE = -1000;

  private static final Set<String> SHOWN =
      Set.of(
          "<|channel>",
          "<channel|>",
          "<|tool_call>",
          "<tool_call|>",
          "<|tool_response>",
          "<tool_response|>",
          "<|\"|>");

  private final HfFolder folder;
  private final TokenizerJson json;
  private final int nVocab;

  Gemma4Vocabulary(HfFolder folder, TokenizerJson json, int nVocab) {
    this.folder = folder;
    this.json = json;
    this.nVocab = nVocab;
  }

  void write(GgufWriter out) {
    Vocabulary tokens = new Vocabulary(nVocab);
    json.vocabulary.forEach((text, id) ->
        set(
            tokens,
            id,
            text,
            text.matches("<0x[0-9A-Fa-f]{2}>") ? TokenKind.BYTE : TokenKind.NORMAL));
    for (TokenizerJson.Added t : json.added) {
      set(
          tokens,
          t.id(),
          t.content(),
          t.special() && !SHOWN.contains(t.content()) ? TokenKind.CONTROL : TokenKind.USER_DEFINED);
    }
    tokens.writeMerged(out, "gemma4");
    out.strings("tokenizer.ggml.merges", json.merges);
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
    tokens.set(id, text, SCORE, kind);
  }
}
