package dev.ocellus.ggml;

import static dev.ocellus.ggml.Checks.require;

import dev.ocellus.compute.GgmlException;
import dev.ocellus.ffi.ggml_tensor;
import dev.ocellus.gguf.TensorType;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Locale;

/** What ggml knows of a tensor beside its values: type, sizes, strides and name. */
abstract sealed class TensorHeader permits TensorMath {
  private static final String CONTIGUOUS = "; call contiguous() first";

  static final int MAX_DIMS = 4;

  final TensorContext context;
  final MemorySegment handle;
  final TensorType type;
  final long[] shape = new long[MAX_DIMS];
  final long[] stride = new long[MAX_DIMS];

  TensorHeader(TensorContext context, MemorySegment handle) {
    this.context = context;
    this.handle = handle.reinterpret(ggml_tensor.sizeof(), context.arena(), null);
    this.type =
        TensorType.ofId(ggml_tensor.type(this.handle))
            .orElseThrow(() -> new GgmlException("ggml made a tensor of an unknown type"));
    for (int i = 0; i < MAX_DIMS; i++) {
      shape[i] = ggml_tensor.ne(this.handle, i);
      stride[i] = ggml_tensor.nb(this.handle, i);
    }
  }

  final MemorySegment handle() {
    return handle;
  }

  public final TensorType type() {
    return type;
  }

  /** Size along a dimension, 0 being the innermost; 1 beyond the last. */
  public final long size(int dimension) {
    return shape[dimension];
  }

  /** The four sizes, innermost first. */
  public final long[] shape() {
    return shape.clone();
  }

  /** Number of elements. */
  public final long nElements() {
    return shape[0] * shape[1] * shape[2] * shape[3];
  }

  /** Size of one element's row in bytes along dimension {@code d}, as ggml counts it. */
  public final long stride(int dimension) {
    return stride[dimension];
  }

  /** The name given by {@code named}, or ggml's own. */
  public final String name() {
    return ggml_tensor.name(handle).getString(0);
  }

  /** Whether elements follow each other in memory without gaps, in the order of the shape. */
  public final boolean isContiguous() {
    long expected = type.blockBytes();
    for (int i = 0; i < MAX_DIMS; i++) {
      if (shape[i] != 1 && stride[i] != expected) {
        return false;
      }
      expected *= i == 0 ? shape[0] / type.blockSize() : shape[i];
    }
    return true;
  }

  /**
   * Contiguous, with the strides that go with it in dimensions of size 1 too: products look at
   * those of a matrix with a single column.
   */
  final boolean hasPlainStrides() {
    long expected = type.blockBytes();
    for (int i = 0; i < MAX_DIMS; i++) {
      if (stride[i] != expected) {
        return false;
      }
      expected *= i == 0 ? shape[0] / type.blockSize() : shape[i];
    }
    return true;
  }

  final boolean hasContiguousRows() {
    return shape[0] == type.blockSize() || stride[0] == type.blockBytes();
  }

  final void checkF32Rows(String op) {
    require(
        type == TensorType.F32 && stride[0] == type.blockBytes(),
        () -> op + ": expected F32 with contiguous rows, found " + describe() + CONTIGUOUS);
  }

  /** For kernels that walk over all elements at once. */
  final void checkF32Contiguous(String op) {
    require(
        type == TensorType.F32 && isContiguous() && stride[0] == type.blockBytes(),
        () -> op + ": expected a contiguous F32 tensor, found " + describe() + CONTIGUOUS);
  }

  final void checkBroadcast(String op, TensorHeader other) {
    boolean fits =
        type == TensorType.F32
            && other.type == TensorType.F32
            && stride[0] == type.blockBytes()
            && other.hasContiguousRows();
    for (int i = 0; i < MAX_DIMS; i++) {
      fits &= shape[i] % other.shape[i] == 0;
    }
    boolean ok = fits;
    require(
        ok,
        () ->
            "%s: %s cannot be broadcast to %s; both must be F32 with contiguous rows and each size a divisor"
                .formatted(op, other.describe(), describe()));
  }

  static long[] fullShape(String op, long[] sizes) {
    require(
        sizes.length >= 1 && sizes.length <= MAX_DIMS && Arrays.stream(sizes).allMatch(s -> s > 0),
        () -> op + ": expected one to four positive sizes, found " + Arrays.toString(sizes));
    long[] full = {1, 1, 1, 1};
    System.arraycopy(sizes, 0, full, 0, sizes.length);
    return full;
  }

  /** Name, type and shape, for messages. */
  public final String describe() {
    int n = MAX_DIMS;
    while (n > 1 && shape[n - 1] == 1) {
      n--;
    }
    String name = name();
    return (name.isEmpty() ? "" : name + " ")
        + type.name().toLowerCase(Locale.ROOT)
        + Arrays.toString(Arrays.copyOf(shape, n));
  }

  @Override
  public final String toString() {
    return describe();
  }
}
