package dev.ocellus.vlm.tokenizer;

/** Small letters as the tokenizers library makes them. */
final class LowerCase {
  private LowerCase() {}

  /**
   * Every code point by itself, so that a capital sigma becomes the same letter everywhere. Only
   * one of them becomes two, the I with a dot.
   */
  static String of(String text) {
    StringBuilder out = new StringBuilder(text.length());
    text.codePoints()
        .forEach(c -> {
          if (c == '\u0130') {
            out.append("i\u0307");
          } else {
            out.appendCodePoint(Character.toLowerCase(c));
          }
        });
    return out.toString();
  }
}
