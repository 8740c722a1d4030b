package dev.ocellus.quantize;

import java.util.List;

/**
 * What {@link Quantizer} will do with every tensor, in the order of the output.
 *
 * @param options what was asked for
 */
public record QuantizePlan(QuantizeOptions options, List<PlannedTensor> tensors) {

  public QuantizePlan {
    tensors = List.copyOf(tensors);
  }

  /** Bytes of all data in the input. */
  public long bytesBefore() {
    return tensors.stream().mapToLong(t -> t.tensor().byteSize()).sum();
  }

  /** Bytes of all data in the output. */
  public long bytesAfter() {
    return tensors.stream().mapToLong(PlannedTensor::bytes).sum();
  }

  public long nElements() {
    return tensors.stream().mapToLong(t -> t.tensor().nElements()).sum();
  }

  /** Bits of the output for each weight. */
  public double bitsPerWeight() {
    return 8.0 * bytesAfter() / Math.max(1, nElements());
  }

  /** Tensors whose rows do not fill the blocks of the type that was meant for them. */
  public List<PlannedTensor> fallbacks() {
    return tensors.stream().filter(t -> t.unfit() != null).toList();
  }

  /** Whether importance is needed and was not given. */
  public boolean lacksImportance() {
    return options.importance() == null
        && tensors.stream().anyMatch(PlannedTensor::needsImportance);
  }
}
