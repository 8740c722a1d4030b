package dev.ocellus.convert.tokenizer;

/** Kinds of tokens, with their numbers in {@code tokenizer.ggml.token_type}. */
enum TokenKind {
  NORMAL(1),
  UNKNOWN(2),
  CONTROL(3),
  USER_DEFINED(4),
  UNUSED(5),
  BYTE(6);

  final int id;

  TokenKind(int id) {
    this.id = id;
  }
}
