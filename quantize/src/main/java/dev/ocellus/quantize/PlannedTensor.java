package dev.ocellus.quantize;

import dev.ocellus.gguf.GgufTensor;
import dev.ocellus.gguf.TensorType;
import org.jspecify.annotations.Nullable;

/**
 * What becomes of one tensor.
 *
 * @param tensor as it is in the input
 * @param type as it will be in the output
 * @param unfit the type that was meant for it and whose blocks its rows do not fill; null if there
 *     was no such trouble
 * @param needsImportance whether the type is of so few bits that it is refused without importance
 */
public record PlannedTensor(
    GgufTensor tensor, TensorType type, @Nullable TensorType unfit, boolean needsImportance) {

  public String name() {
    return tensor.name();
  }

  /** Whether its data are computed anew; otherwise they are copied. */
  public boolean changes() {
    return type != tensor.type();
  }

  /** Bytes of the data in the output. */
  public long bytes() {
    return changes() ? type.bytes(Shapes.of(tensor)) : tensor.byteSize();
  }
}
