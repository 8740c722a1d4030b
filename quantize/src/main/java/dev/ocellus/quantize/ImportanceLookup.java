package dev.ocellus.quantize;

import dev.ocellus.gguf.GgufTensor;
import dev.ocellus.quantize.imatrix.Importance;
import org.jspecify.annotations.Nullable;

/** Finds the importance of a tensor's columns, and sees that it fits. */
final class ImportanceLookup {
  private ImportanceLookup() {}

  /**
   * {@code [dim 0 × dim 2]} weights; null if there are none.
   *
   * @throws QuantizeException if they are of another size: the matrix belongs to another model
   */
  static float @Nullable [] tensor(@Nullable Importance importance, GgufTensor t) {
    if (importance == null) {
      return null;
    }
    float[] columns = importance.columns(t.name()).orElse(null);
    if (columns == null || columns.length == t.dim(0) * t.dim(2)) {
      return columns;
    }
    if (TensorRole.of(t.name()) == TensorRole.TOKEN_EMBEDDING) {
      return null; // tied embeddings are multiplied with the output's activations of another size
    }
    throw new QuantizeException(
        "%s: the importance matrix has %d columns, expected %d. %s belongs to another model."
            .formatted(t.name(), columns.length, t.dim(0) * t.dim(2), importance.file()));
  }
}
