package dev.ocellus.quantize;

import dev.ocellus.gguf.GgufTensor;
import dev.ocellus.gguf.TensorType;
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

  /**
   * Refuses importance that would make a type's weights 0, as no error in them would count.
   *
   * @throws QuantizeException if a matrix of the tensor has columns of no importance only
   */
  static void requireSome(@Nullable Importance importance, GgufTensor t, TensorType to) {
    float[] columns = tensor(importance, t);
    if (columns == null || importance == null || !EncodingLimits.usesImportance(to)) {
      return;
    }
    int n = Math.toIntExact(t.dim(0));
    for (int start = 0; start < columns.length; start += n) {
      float max = 0;
      for (int i = start; i < start + n; i++) {
        max = Math.max(max, columns[i]);
      }
      if (max == 0) {
        throw new QuantizeException(
            "%s: the importance matrix %s has 0 for all columns%s, so that all weights of %s would become 0. Make it from text or images that use the tensor, or exclude the tensor from it."
                .formatted(
                    t.name(),
                    importance.file(),
                    columns.length == n ? "" : " of matrix " + start / n,
                    to.ggmlName()));
      }
    }
  }
}
