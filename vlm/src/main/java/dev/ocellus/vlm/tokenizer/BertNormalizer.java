package dev.ocellus.vlm.tokenizer;

import java.text.Normalizer;
import java.util.function.IntConsumer;

/**
 * What BERT's tokenizers do to a text before it is cut into words, in this order: control
 * characters are removed, ideographs become words of their own, accents are stripped, capital
 * letters become small ones.
 *
 * @param cleanText removes control characters, and makes every white space a plain one
 * @param handleChineseChars puts spaces around ideographs
 * @param stripAccents decomposes the text and drops its marks
 * @param lowercase each character by itself
 */
record BertNormalizer(
    boolean cleanText, boolean handleChineseChars, boolean stripAccents, boolean lowercase) {

  String normalize(String text) {
    String out = text;
    out = cleanText ? each(out, BertNormalizer::clean) : out;
    out = handleChineseChars ? each(out, BertNormalizer::apart) : out;
    out = stripAccents ? each(decomposed(out), BertNormalizer::unlessMark) : out;
    return lowercase ? each(out, BertNormalizer::lower) : out;
  }

  private interface Step {
    void apply(int c, StringBuilder out);
  }

  private static String each(String text, Step step) {
    StringBuilder out = new StringBuilder(text.length());
    text.codePoints().forEach(c -> step.apply(c, out));
    return out.toString();
  }

  private static void clean(int c, StringBuilder out) {
    if (!BertCharacters.isRemoved(c)) {
      out.appendCodePoint(BertCharacters.isSpace(c) ? ' ' : c);
    }
  }

  private static void apart(int c, StringBuilder out) {
    if (BertCharacters.isIdeograph(c)) {
      out.append(' ').appendCodePoint(c).append(' ');
    } else {
      out.appendCodePoint(c);
    }
  }

  private static void unlessMark(int c, StringBuilder out) {
    if (!BertCharacters.isMark(c)) {
      out.appendCodePoint(c);
    }
  }

  private static void lower(int c, StringBuilder out) {
    if (c == 'İ') {
      out.append("i\u0307"); // the only one that becomes two
    } else {
      out.appendCodePoint(BertCharacters.lowerCase(c));
    }
  }

  /**
   * NFD of the reference's tables: what they do not know stays, and nothing moves across it, as
   * nothing moves across a letter.
   */
  private static String decomposed(String text) {
    StringBuilder out = new StringBuilder(text.length());
    StringBuilder known = new StringBuilder(text.length());
    IntConsumer take =
        c -> {
          if (BertCharacters.isDecomposed(c)) {
            known.appendCodePoint(c);
          } else {
            out.append(Normalizer.normalize(known, Normalizer.Form.NFD)).appendCodePoint(c);
            known.setLength(0);
          }
        };
    text.codePoints().forEach(take);
    return out.append(Normalizer.normalize(known, Normalizer.Form.NFD)).toString();
  }
}
