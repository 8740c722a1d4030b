package dev.ocellus.vlm.tokenizer;

import dev.ocellus.gguf.GgufMetadata;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Pattern;
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
  private static final Pattern SPACES = Pattern.compile("\\s+", Pattern.UNICODE_CHARACTER_CLASS);

  private final Unigram model;
  private final AddedTokens special;
  private final int bos;
  private final int eos;

  private UnigramTokenizer(GgufMetadata metadata) {
    model = Unigram.of(metadata);
    long[] kinds = metadata.integers("tokenizer.ggml.token_type");
    Map<String, Integer> controls = new HashMap<>();
    for (int i = 0; i < kinds.length; i++) {
      if (kinds[i] == TokenData.CONTROL || i == model.unknown()) {
        controls.putIfAbsent(model.token(i), i);
      }
    }
    special = new AddedTokens(controls);
    bos = TokenData.optionalId(metadata, "bos_token_id", model.size());
    eos = TokenData.optionalId(metadata, "eos_token_id", model.size());
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
    IntStream.Builder out = IntStream.builder();
    special.split(text, between -> words(between, out), out);
    return out.build().toArray();
  }

  private void words(String text, IntStream.Builder out) {
    for (String word : SPACES.split(model.mapped(text))) {
      if (!word.isEmpty()) {
        for (int id : model.encodeLine(Unigram.SPACE + word)) {
          out.add(id);
        }
      }
    }
  }
}
