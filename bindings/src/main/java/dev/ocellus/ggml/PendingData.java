package dev.ocellus.ggml;

import dev.ocellus.ffi.ggml_h;
import dev.ocellus.gguf.GgufTensor;
import dev.ocellus.gguf.TensorType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.UnaryOperator;

/** Data that {@link WeightStore#load()} has to bring to a tensor. */
sealed interface PendingData {
  /** As it is stored, or widened to F32. */
  record Stored(GgufTensor source) implements PendingData {}

  /** The sum of two, in F32. */
  record Sum(GgufTensor first, GgufTensor second) implements PendingData {}

  /** Values that no file has. */
  record Computed(float[] values) implements PendingData {}

  /** As it is stored, in the type in which it is multiplied. */
  record Converted(GgufTensor source) implements PendingData {}

  /** What is computed of it, in F32. */
  record Changed(GgufTensor source, UnaryOperator<float[]> change) implements PendingData {}

  /**
   * Brings it to a tensor, in the type of that. What was read of the file for it is given back: it
   * is not read again.
   */
  default void bringTo(Tensor tensor) {
    fill(tensor);
    switch (this) {
      case Stored(GgufTensor source) -> FilePages.release(source.data().segment());
      case Converted(GgufTensor source) -> FilePages.release(source.data().segment());
      case Changed(GgufTensor source, var change) -> FilePages.release(source.data().segment());
      case Sum(GgufTensor first, GgufTensor second) -> {
        FilePages.release(first.data().segment());
        FilePages.release(second.data().segment());
      }
      case Computed computed -> {}
    }
  }

  private void fill(Tensor tensor) {
    switch (this) {
      case Stored(GgufTensor source) when tensor.type() == source.type() ->
          ggml_h.ggml_backend_tensor_set(
              tensor.handle(), source.data().segment(), 0, source.byteSize());
      case Stored(GgufTensor source) -> {
        try (Arena scratch = Arena.ofConfined()) {
          MemorySegment floats = widened(source, scratch);
          ggml_h.ggml_backend_tensor_set(tensor.handle(), floats, 0, floats.byteSize());
        }
      }
      case Sum(GgufTensor first, GgufTensor second) -> {
        try (Arena scratch = Arena.ofConfined()) {
          MemorySegment sum = widened(first, scratch);
          MemorySegment other = widened(second, scratch);
          for (long i = 0; i < first.nElements(); i++) {
            float value =
                sum.getAtIndex(ValueLayout.JAVA_FLOAT, i)
                    + other.getAtIndex(ValueLayout.JAVA_FLOAT, i);
            sum.setAtIndex(ValueLayout.JAVA_FLOAT, i, value);
          }
          ggml_h.ggml_backend_tensor_set(tensor.handle(), sum, 0, sum.byteSize());
        }
      }
      case Converted(GgufTensor source) -> {
        try (Arena scratch = Arena.ofConfined()) {
          MemorySegment converted =
              MatrixTypes.convert(widened(source, scratch), source, tensor.type(), scratch);
          ggml_h.ggml_backend_tensor_set(tensor.handle(), converted, 0, converted.byteSize());
        }
      }
      case Changed(GgufTensor source, UnaryOperator<float[]> change) -> {
        try (Arena scratch = Arena.ofConfined()) {
          float[] stored = widened(source, scratch).toArray(ValueLayout.JAVA_FLOAT);
          fill(tensor, change.apply(stored));
        }
      }
      case Computed(float[] values) -> fill(tensor, values);
    }
  }

  private static void fill(Tensor tensor, float[] values) {
    if (values.length != tensor.nElements()) {
      throw new IllegalArgumentException(
          "%d values for %s".formatted(values.length, tensor.describe()));
    }
    try (Arena scratch = Arena.ofConfined()) {
      MemorySegment floats = scratch.allocateFrom(ValueLayout.JAVA_FLOAT, values);
      ggml_h.ggml_backend_tensor_set(tensor.handle(), floats, 0, floats.byteSize());
    }
  }

  /** A copy in F32. */
  private static MemorySegment widened(GgufTensor source, Arena arena) {
    MemorySegment aligned = arena.allocate(source.byteSize(), 64).copyFrom(source.data().segment());
    if (source.type() == TensorType.F32) {
      return aligned;
    }
    MemorySegment floats = arena.allocate(4 * source.nElements(), 64);
    RowCodec.decode(source.type(), aligned, floats, source.nElements());
    return floats;
  }
}
