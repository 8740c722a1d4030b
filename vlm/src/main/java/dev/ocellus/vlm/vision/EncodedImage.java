package dev.ocellus.vlm.vision;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * All that a text model needs of an image.
 *
 * @param values {@code nTokens} image embeddings of {@code width} floats, those of deepstack layers
 *     included, in the order in which they are decoded
 * @param nTokens how many image embeddings
 * @param width floats of an embedding
 * @param layout what stands at the image's place in the prompt
 */
public record EncodedImage(float[] values, int nTokens, int width, List<ImagePiece> layout) {
  public EncodedImage {
    layout = List.copyOf(layout);
    long placed =
        layout.stream()
            .mapToLong(piece -> piece instanceof ImagePiece.Embeddings e ? e.count() : 0)
            .sum();
    if (placed != nTokens || values.length != (long) nTokens * width) {
      throw new IllegalArgumentException(
          "%d image embeddings of %d floats do not fit a layout of %d and %d floats in all"
              .formatted(nTokens, width, placed, values.length));
    }
  }

  /** Memory that it takes, about. */
  public long byteSize() {
    return 4L * values.length + 64L * layout.size() + 256;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof EncodedImage that
        && nTokens == that.nTokens
        && width == that.width
        && layout.equals(that.layout)
        && Arrays.equals(values, that.values);
  }

  @Override
  public int hashCode() {
    return Objects.hash(nTokens, width, layout, Arrays.hashCode(values));
  }

  @Override
  public String toString() {
    return "EncodedImage[%d embeddings of %d floats]".formatted(nTokens, width);
  }
}
