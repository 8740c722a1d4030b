package dev.ocellus.vlm.model;

import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.fusion.TextFormat;
import dev.ocellus.vlm.fusion.TextIds;
import dev.ocellus.vlm.tokenizer.WordPieceTokenizer;
import dev.ocellus.vlm.vision.InvalidConfigException;

/**
 * Texts of BLIP: word pieces between [CLS] and [SEP]. What a decoder goes on from has its own first
 * token in the place of [CLS], and no [SEP].
 *
 * <p>The reference is {@code BlipForConditionalGeneration.generate} of transformers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/blip/modeling_blip.py">modeling_blip.py</a>.
 * It takes no text that is longer than the context; as its tokenizer does when it is told to
 * truncate, the end of the text is left out, and [SEP] stays.
 *
 * @param first ({@code cls_token_id}) and last ({@code seperator_token_id}) of a text
 * @param begin ({@code bos_token_id}) and end ({@code eos_token_id}) of what a decoder writes
 */
record BertTexts(
    WordPieceTokenizer tokenizer, int first, int last, int begin, int end, int contextLength)
    implements TextFormat {
  /** Tokens at the ends of a text. */
  private static final int N_ENDS = 2;

  /**
   * From the metadata of a file.
   *
   * @param nTokens rows of the table of tokens
   * @param contextLength most tokens of a text
   */
  static BertTexts of(GgufMetadata metadata, int nTokens, int contextLength) {
    WordPieceTokenizer tokenizer = WordPieceTokenizer.of(metadata);
    if (tokenizer.size() != nTokens) {
      throw new InvalidConfigException(
          "tokenizer.ggml.tokens: expected %d tokens, as token_embd.weight has rows, found %d. The file is damaged or was converted wrongly."
              .formatted(nTokens, tokenizer.size()));
    }
    return new BertTexts(
        tokenizer,
        id(metadata, "cls_token_id", tokenizer),
        id(metadata, "seperator_token_id", tokenizer), // llama.cpp's spelling
        id(metadata, "bos_token_id", tokenizer),
        id(metadata, "eos_token_id", tokenizer),
        contextLength);
  }

  private static int id(GgufMetadata metadata, String name, WordPieceTokenizer tokenizer) {
    String key = "tokenizer.ggml." + name;
    int id = metadata.int32(key);
    if (id < 0 || id >= tokenizer.size()) {
      throw new InvalidConfigException(
          "%s: expected a number from 0 to %d, found %d. The file is damaged or was converted wrongly."
              .formatted(key, tokenizer.size() - 1, id));
    }
    return id;
  }

  @Override
  public TextIds whole(String text) {
    int[] words = encode(text);
    int n = Math.min(words.length, Math.max(0, contextLength - N_ENDS));
    int[] ids = new int[n + N_ENDS];
    ids[0] = first;
    System.arraycopy(words, 0, ids, 1, n);
    ids[n + 1] = last;
    return new TextIds(ids, words.length - n);
  }

  @Override
  public TextIds beginning(String begun) {
    TextIds whole = whole(begun);
    int[] ids = new int[whole.ids().length - 1];
    System.arraycopy(whole.ids(), 0, ids, 0, ids.length);
    ids[0] = begin;
    return new TextIds(ids, whole.nDropped());
  }

  @Override
  public int size() {
    return tokenizer.size();
  }

  @Override
  public String piece(int id, boolean first) {
    return tokenizer.isSpecial(id) ? "" : tokenizer.piece(id, first);
  }

  @Override
  public String token(int id) {
    return tokenizer.token(id);
  }

  @Override
  public int[] encode(String text) {
    return tokenizer.encode(text);
  }
}
