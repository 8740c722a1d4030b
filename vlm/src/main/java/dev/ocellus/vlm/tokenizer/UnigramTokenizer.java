package dev.ocellus.vlm.tokenizer;

import dev.ocellus.gguf.GgufMetadata;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * A unigram model whose texts are cut at white space first, each word behind a U+2581: XLM-V's, and
 * T5's behind {@link TextCleaning}.
 *
 * <p>The reference is {@code XLMRobertaTokenizer} of transformers, which is one of the tokenizers
 * library: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/xlm_roberta/tokenization_xlm_roberta.py">tokenization_xlm_roberta.py</a>.
 * Special tokens that a text spells out are taken as such.
 */
public final class UnigramTokenizer implements TextTokenizer {
  private static final int CONTROL = 3;

  private static final Pattern SPACES = Pattern.compile("\\s+", Pattern.UNICODE_CHARACTER_CLASS);

  private final Unigram model;
  private final Map<String, Integer> special = new LinkedHashMap<>();
  private final Pattern specialTexts;
  private final int bos;
  private final int eos;

  private UnigramTokenizer(GgufMetadata metadata) {
    model = Unigram.of(metadata);
    long[] kinds = metadata.integers("tokenizer.ggml.token_type");
    for (int i = 0; i < kinds.length; i++) {
      if ((kinds[i] == CONTROL || i == model.unknown()) && !model.token(i).isEmpty()) {
        special.putIfAbsent(model.token(i), i);
      }
    }
    specialTexts =
        Pattern.compile(
            special.keySet().stream()
                .sorted(Comparator.comparingInt(String::length).reversed())
                .map(Pattern::quote)
                .collect(Collectors.joining("|")));
    bos = id(metadata, "bos_token_id");
    eos = id(metadata, "eos_token_id");
  }

  /**
   * From the metadata of a file.
   *
   * @throws TokenizerFormatException if they cannot be those of such a tokenizer
   * @throws dev.ocellus.gguf.GgufFormatException if some are missing
   */
  public static UnigramTokenizer of(GgufMetadata metadata) {
    return new UnigramTokenizer(metadata);
  }

  private int id(GgufMetadata metadata, String key) {
    int id = metadata.int32("tokenizer.ggml." + key, -1);
    if (id >= model.size()) {
      throw new TokenizerFormatException(key, "a number below " + model.size(), "" + id);
    }
    return id;
  }

  @Override
  public int bos() {
    return bos;
  }

  @Override
  public int eos() {
    return eos;
  }

  @Override
  public int size() {
    return model.size();
  }

  @Override
  public int[] encode(String text) {
    List<int[]> out = new ArrayList<>();
    Matcher matcher = specialTexts.matcher(text);
    int from = 0;
    while (matcher.find()) {
      words(text.substring(from, matcher.start()), out);
      out.add(new int[] {special.getOrDefault(matcher.group(), model.unknown())});
      from = matcher.end();
    }
    words(text.substring(from), out);
    return out.stream().flatMapToInt(IntStream::of).toArray();
  }

  private void words(String text, List<int[]> out) {
    for (String word : SPACES.split(model.mapped(text))) {
      if (!word.isEmpty()) {
        out.add(model.encodeLine(Unigram.SPACE + word));
      }
    }
  }
}
