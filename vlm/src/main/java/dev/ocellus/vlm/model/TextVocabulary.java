package dev.ocellus.vlm.model;

import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.tokenizer.TextTokenizer;
import java.util.List;

/**
 * The tokens of a model whose texts libllama does not read, a dual encoder or one whose texts
 * attend to images. Needs a file's metadata and no weights. Thread-safe.
 */
public final class TextVocabulary {
  /** As llama.cpp numbers kinds of tokens. */
  private static final int CONTROL = 3;

  private final TextTokenizer tokenizer;
  private final List<String> tokens;
  private final long[] kinds;

  private TextVocabulary(GgufMetadata metadata) {
    tokenizer = DualTokenizers.of(metadata);
    tokens = List.copyOf(metadata.strings("tokenizer.ggml.tokens")); // outlives the file
    String kindsKey = "tokenizer.ggml.token_type";
    kinds = metadata.contains(kindsKey) ? metadata.integers(kindsKey) : new long[0];
  }

  /**
   * From the metadata of a file.
   *
   * @throws dev.ocellus.UnsupportedArchitectureException if its tokenizer is none of those known
   * @throws dev.ocellus.OcellusException if its data are damaged or missing
   */
  public static TextVocabulary of(GgufMetadata metadata) {
    return new TextVocabulary(metadata);
  }

  /** The ids of a text, with nothing added at its ends and nothing cut off. */
  public int[] encode(String text) {
    return tokenizer.encode(text);
  }

  /** A token as the vocabulary writes it. */
  public String token(int id) {
    return id < tokens.size() ? tokens.get(id) : "";
  }

  /** Whether it is no part of texts. */
  public boolean isControl(int id) {
    return id < kinds.length && kinds[id] == CONTROL;
  }
}
