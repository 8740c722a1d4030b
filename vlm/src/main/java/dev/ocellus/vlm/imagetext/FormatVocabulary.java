package dev.ocellus.vlm.imagetext;

import dev.ocellus.vlm.fusion.TextFormat;
import dev.ocellus.vlm.sampling.TokenVocabulary;
import java.nio.charset.StandardCharsets;

/** The tokens of a text format as samplers see them. */
record FormatVocabulary(TextFormat texts) implements TokenVocabulary {
  @Override
  public int size() {
    return texts.size();
  }

  @Override
  public byte[] bytes(int token) {
    return texts.bytes(token, false);
  }

  @Override
  public int[] tokenize(byte[] utf8) {
    return texts.encode(new String(utf8, StandardCharsets.UTF_8));
  }
}
