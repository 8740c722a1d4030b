package dev.ocellus.vlm.tokenizer;

import java.util.Locale;
import java.util.regex.Pattern;

/**
 * What open_clip does to a text in front of a tokenizer of transformers.
 *
 * <p>The reference are {@code whitespace_clean} and {@code canonicalize_text} of <a
 * href="https://github.com/mlfoundations/open_clip/blob/v3.3.0/src/open_clip/tokenizer.py">open_clip's
 * tokenizer.py</a>. Of ftfy's repair what guesses at wrong decoding is left out, and so are HTML's
 * entities.
 */
public enum TextCleaning {
  /** As it is. */
  NONE,
  /** White space becomes one space, and none at the ends. */
  WHITESPACE,
  /** Also small letters. */
  LOWER,
  /** Small letters without ASCII's punctuation; an underscore is a space. */
  CANONICALIZE;

  /** White space of Python's texts. */
  private static final Pattern SPACES =
      Pattern.compile(
          "[\\t-\\r\\x1c- \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+");

  private static final Pattern PUNCTUATION = Pattern.compile("[!-/:-@\\[-`{-~]");

  /** The cleaned text. */
  public String of(String text) {
    return switch (this) {
      case NONE -> text;
      case WHITESPACE -> spaced(TextRepair.of(text));
      case LOWER -> spaced(TextRepair.of(text)).toLowerCase(Locale.ROOT);
      case CANONICALIZE -> spaced(canonical(TextRepair.of(text)));
    };
  }

  private static String canonical(String text) {
    return PUNCTUATION.matcher(text.replace('_', ' ')).replaceAll("").toLowerCase(Locale.ROOT);
  }

  private static String spaced(String text) {
    String single = SPACES.matcher(text).replaceAll(" ");
    int from = single.startsWith(" ") ? 1 : 0;
    int to = single.length() > from && single.endsWith(" ") ? single.length() - 1 : single.length();
    return single.substring(from, to);
  }

  /** A tokenizer whose texts are cleaned first. */
  public TextTokenizer before(TextTokenizer tokenizer) {
    return this == NONE ? tokenizer : new Cleaned(this, tokenizer);
  }

  private record Cleaned(TextCleaning cleaning, TextTokenizer tokenizer) implements TextTokenizer {
    @Override
    public int[] encode(String text) {
      return tokenizer.encode(cleaning.of(text));
    }

    @Override
    public int bos() {
      return tokenizer.bos();
    }

    @Override
    public int eos() {
      return tokenizer.eos();
    }

    @Override
    public boolean mayEndItself() {
      return tokenizer.mayEndItself();
    }

    @Override
    public int size() {
      return tokenizer.size();
    }
  }
}
