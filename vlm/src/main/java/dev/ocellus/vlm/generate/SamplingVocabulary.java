package dev.ocellus.vlm.generate;

import dev.ocellus.llama.Vocab;
import dev.ocellus.vlm.sampling.TokenVocabulary;
import java.nio.charset.StandardCharsets;

/** A model's vocabulary as samplers see it. */
record SamplingVocabulary(Vocab vocab) implements TokenVocabulary {
  @Override
  public int size() {
    return vocab.nTokens();
  }

  @Override
  public byte[] bytes(int token) {
    return vocab.piece(token, true);
  }

  @Override
  public int[] tokenize(byte[] utf8) {
    return vocab.tokenize(new String(utf8, StandardCharsets.UTF_8), false);
  }
}
