package dev.ocellus.vlm.vision;

import java.util.List;

/**
 * All that a text model needs of an image.
 *
 * @param rows {@code nTokens} rows of {@code width} floats, deepstack rows included, in the order
 *     in which they are decoded
 * @param nTokens number of rows
 * @param width floats of a row
 * @param layout what stands at the image's place in the prompt
 */
public record EncodedImage(float[] rows, int nTokens, int width, List<ImagePiece> layout) {
  public EncodedImage {
    layout = List.copyOf(layout);
    long placed =
        layout.stream()
            .mapToLong(piece -> piece instanceof ImagePiece.Rows r ? r.count() : 0)
            .sum();
    if (placed != nTokens || rows.length != (long) nTokens * width) {
      throw new IllegalArgumentException(
          "%d rows of %d floats do not fit a layout of %d rows and %d floats"
              .formatted(nTokens, width, placed, rows.length));
    }
  }

  /** Memory that it takes, about. */
  public long byteSize() {
    return 4L * rows.length + 64L * layout.size() + 256;
  }
}
