package dev.ocellus.vlm.encoder;

import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What the text model gets of an image.
 *
 * @param values {@code nTokens} embeddings of {@code width} floats, in the order in which they are
 *     decoded
 * @param nTokens how many
 * @param width floats of an embedding
 */
public record ImageEmbeddings(float[] values, int nTokens, int width) {

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof ImageEmbeddings that
        && nTokens == that.nTokens
        && width == that.width
        && Arrays.equals(values, that.values);
  }

  @Override
  public int hashCode() {
    return Objects.hash(nTokens, width, Arrays.hashCode(values));
  }

  @Override
  public String toString() {
    return "ImageEmbeddings[%d of %d floats]".formatted(nTokens, width);
  }
}
