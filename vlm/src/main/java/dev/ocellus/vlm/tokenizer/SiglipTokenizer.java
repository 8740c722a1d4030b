package dev.ocellus.vlm.tokenizer;

import dev.ocellus.gguf.GgufMetadata;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;

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

  private final Unigram model;
  private final AddedTokens special;
  private final List<Integer> loneSpace;
  private final int eos;
  private final int nUnknown;

  private SiglipTokenizer(GgufMetadata metadata) {
    model = Unigram.of(metadata);
    eos = TokenData.id(metadata, "eos_token_id", model.size());
    int padding = TokenData.id(metadata, "padding_token_id", model.size());
    special = special(eos, padding, model.unknown());
    nUnknown = model.encode(model.token(model.unknown())).length;
    loneSpace = List.of(metadata.strings("tokenizer.ggml.tokens").indexOf(Unigram.SPACE));
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

  /** Those that texts may spell. */
  private AddedTokens special(int... ids) {
    Map<String, Integer> out = new HashMap<>();
    for (int id : ids) {
      out.put(model.token(id), id);
    }
    return new AddedTokens(out);
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
    List<Integer> out = new ArrayList<>();
    special.split(
        marked,
        between -> Arrays.stream(words(between)).forEach(out::add),
        token -> {
          if (out.equals(loneSpace)) { // in front of a token the mark of the beginning is nothing
            out.clear();
          }
          out.add(token);
        });
    return out.stream().mapToInt(Integer::intValue).toArray();
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
