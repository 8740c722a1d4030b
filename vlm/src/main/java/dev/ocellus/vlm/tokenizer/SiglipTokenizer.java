package dev.ocellus.vlm.tokenizer;

import dev.ocellus.gguf.GgufMetadata;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * SigLIP's tokenizer: a unigram model of SentencePiece behind texts without capital letters and
 * ASCII punctuation.
 *
 * <p>The reference is {@code SiglipTokenizer} of transformers, with its detour: a text is cut
 * behind the unknown token's own, whose pieces are dropped again: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/siglip/tokenization_siglip.py">tokenization_siglip.py</a>.
 * Special tokens that a text spells out are taken as such.
 */
public final class SiglipTokenizer implements TextTokenizer {
  /** White space of Python's texts. */
  private static final String SPACES =
      "[\\t-\\r\\x1c- \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+";

  private static final Pattern PUNCTUATION = Pattern.compile("[!-/:-@\\[-`{-~]");
  private static final Pattern SPACE_RUN = Pattern.compile(SPACES);
  private static final Pattern ENDS = Pattern.compile("^" + SPACES + "|" + SPACES + "$");
  private static final int CONTROL = 3;

  private final Unigram model;
  private final Map<String, Integer> special;
  private final Pattern specialTexts;
  private final int lone;
  private final int eos;
  private final int padding;
  private final int nUnknown;

  private SiglipTokenizer(GgufMetadata metadata) {
    model = Unigram.of(metadata);
    eos = id(metadata, "eos_token_id");
    padding = id(metadata, "padding_token_id");
    special = special(metadata);
    specialTexts =
        Pattern.compile(
            special.keySet().stream().map(Pattern::quote).collect(Collectors.joining("|")));
    nUnknown = model.encode(model.token(model.unknown())).length;
    lone = metadata.strings("tokenizer.ggml.tokens").indexOf(Unigram.SPACE);
  }

  /**
   * From the metadata of a file.
   *
   * @throws TokenizerFormatException if they cannot be those of such a tokenizer
   * @throws dev.ocellus.gguf.GgufFormatException if some are missing
   */
  public static SiglipTokenizer of(GgufMetadata metadata) {
    return new SiglipTokenizer(metadata);
  }

  private int id(GgufMetadata metadata, String key) {
    int id = metadata.int32("tokenizer.ggml." + key);
    if (id < 0 || id >= model.size()) {
      throw new TokenizerFormatException(
          key, "a number from 0 to %d".formatted(model.size() - 1), "" + id);
    }
    return id;
  }

  /** The unknown token, and the control tokens that texts may spell. */
  private Map<String, Integer> special(GgufMetadata metadata) {
    long[] kinds = metadata.integers("tokenizer.ggml.token_type");
    Map<String, Integer> out = new LinkedHashMap<>();
    for (int i = 0; i < kinds.length; i++) {
      boolean named = i == eos || i == padding || i == model.unknown();
      if (named) {
        out.put(model.token(i), i);
      }
    }
    return out;
  }

  @Override
  public int eos() {
    return eos;
  }

  @Override
  public boolean mayEndItself() {
    return true;
  }

  @Override
  public int size() {
    return model.size();
  }

  @Override
  public int[] encode(String text) {
    String marked = Unigram.SPACE + text.replace(Unigram.SPACE, " ");
    List<int[]> out = new ArrayList<>();
    Matcher matcher = specialTexts.matcher(marked);
    int from = 0;
    while (matcher.find()) {
      int[] before = words(marked.substring(from, matcher.start()));
      boolean isLone = from == 0 && before.length == 1 && before[0] == lone;
      out.add(isLone ? new int[0] : before);
      out.add(new int[] {special.getOrDefault(matcher.group(), model.unknown())});
      from = matcher.end();
    }
    out.add(words(marked.substring(from)));
    return out.stream().flatMapToInt(IntStream::of).toArray();
  }

  private int[] words(String text) {
    if (text.isEmpty()) {
      return new int[0];
    }
    int[] ids = model.encode(model.token(model.unknown()) + canonical(text));
    return ids.length < nUnknown ? ids : Arrays.copyOfRange(ids, nUnknown, ids.length);
  }

  private static String canonical(String text) {
    String plain = PUNCTUATION.matcher(text.toLowerCase(Locale.ROOT)).replaceAll("");
    return ENDS.matcher(SPACE_RUN.matcher(plain).replaceAll(" ")).replaceAll("");
  }
}
