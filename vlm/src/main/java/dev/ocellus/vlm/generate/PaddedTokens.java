package dev.ocellus.vlm.generate;

import dev.ocellus.llama.Vocab;
import dev.ocellus.vlm.encoder.VisionEncoder;
import java.util.HashSet;
import java.util.Set;
import java.util.function.IntUnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * What a text model is given after a token of its answer: that token, but padding where it stands
 * for an image, as the reference does in some families.
 */
final class PaddedTokens {
  private PaddedTokens() {}

  /**
   * @param encoder of the family; null for a model of text
   */
  static IntUnaryOperator of(@Nullable VisionEncoder encoder, Vocab vocab) {
    Set<Integer> padded = new HashSet<>();
    if (encoder != null) {
      for (String text : encoder.architecture().promptFormat().paddedTokens()) {
        int[] ids = vocab.tokenize(text, true);
        if (ids.length == 1 && vocab.isControl(ids[0])) {
          padded.add(ids[0]);
        }
      }
    }
    int padding = 0; // of all families that do so
    return padded.isEmpty() ? id -> id : id -> padded.contains(id) ? padding : id;
  }
}
