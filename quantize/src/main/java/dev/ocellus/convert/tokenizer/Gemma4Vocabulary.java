package dev.ocellus.convert.tokenizer;

import dev.ocellus.convert.hf.HfFolder;
import dev.ocellus.gguf.GgufWriter;
import java.nio.file.Path;
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
    Path source = folder.file("tokenizer.json");
    Vocabulary tokens = new Vocabulary(nVocab);
    json.vocabulary.forEach((text, id) ->
        tokens.set(
            source,
            id,
            text,
            SCORE,
            text.matches("<0x[0-9A-Fa-f]{2}>") ? TokenKind.BYTE : TokenKind.NORMAL));
    for (TokenizerJson.Added t : json.added) {
      tokens.set(
          source,
          t.id(),
          t.content(),
          SCORE,
          t.special() && !SHOWN.contains(t.content()) ? TokenKind.CONTROL : TokenKind.USER_DEFINED);
    }
    tokens.writeMerged(out, "gemma4");
    out.strings("tokenizer.ggml.merges", json.merges);
  }
}
