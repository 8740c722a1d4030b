package dev.ocellus.ggml;

import dev.ocellus.ffi.ggml_h;
import dev.ocellus.ffi.ggml_tensor;
import dev.ocellus.gguf.TensorType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A matrix multiplication of a weight with activations in a graph that is being computed: {@code
 * ggml_mul_mat}, or {@code ggml_mul_mat_id}, where every row of activations goes through experts of
 * its own.
 */
public final class MatMul {
  private final MemorySegment weight;
  private final MemorySegment input;
  private final MemorySegment ids;
  private final boolean byExpert;

  MatMul(MemorySegment node, boolean byExpert) {
    this.byExpert = byExpert;
    this.weight = tensor(ggml_tensor.src(node, 0));
    this.input = tensor(ggml_tensor.src(node, 1));
    this.ids = byExpert ? tensor(ggml_tensor.src(node, 2)) : MemorySegment.NULL;
  }

  static MemorySegment tensor(MemorySegment address) {
    return address.reinterpret(ggml_tensor.sizeof());
  }

  /** Name of the weight, without the marks of a copy on another device. */
  public String weightName() {
    String name = ggml_tensor.name(weight).getString(0);
    int mark = name.indexOf('#'); // DEVICE#NAME#COPY
    if (mark < 0) {
      return name;
    }
    int end = name.indexOf('#', mark + 1);
    return name.substring(mark + 1, end < 0 ? name.length() : end);
  }

  /** Whether rows go through the experts that {@link #experts} tells. */
  public boolean byExpert() {
    return byExpert;
  }

  /** Size of the weight in dimension {@code i}. */
  public long weightSize(int i) {
    return ggml_tensor.ne(weight, i);
  }

  /** Size of the activations in dimension {@code i}; dimension 0 is that of the weight. */
  public long inputSize(int i) {
    return ggml_tensor.ne(input, i);
  }

  /** Whether the activations are F32 with rows that lie in one piece. */
  public boolean inputIsFloat() {
    return ggml_tensor.type(input) == TensorType.F32.id() && ggml_tensor.nb(input, 0) == 4;
  }

  /**
   * Copies the activations, row after row; rows of dimension 1 first, then 2, then 3.
   *
   * @param destination room for all of them
   */
  public void copyInput(float[] destination) {
    Checks.require(inputIsFloat(), () -> weightName() + " is multiplied with no plain floats");
    int n = Math.toIntExact(inputSize(0));
    try (Arena scratch = Arena.ofConfined()) {
      MemorySegment data = data(input, scratch);
      long rowBytes = ggml_tensor.nb(input, 1);
      int at = 0;
      for (long i3 = 0; i3 < inputSize(3); i3++) {
        for (long i2 = 0; i2 < inputSize(2); i2++) {
          long start = i2 * ggml_tensor.nb(input, 2) + i3 * ggml_tensor.nb(input, 3);
          int rows = Math.toIntExact(inputSize(1));
          if (rowBytes == 4L * n) {
            MemorySegment.copy(data, ValueLayout.JAVA_FLOAT, start, destination, at, n * rows);
          } else {
            for (int row = 0; row < rows; row++) {
              MemorySegment.copy(
                  data,
                  ValueLayout.JAVA_FLOAT,
                  start + row * rowBytes,
                  destination,
                  at + row * n,
                  n);
            }
          }
          at += n * rows;
        }
      }
    }
  }

  /** Experts that each row goes through. */
  public int expertsPerRow() {
    return byExpert ? Math.toIntExact(ggml_tensor.ne(ids, 0)) : 0;
  }

  /** The experts of every row: {@code [expertsPerRow, rows]}, those of one row together. */
  public int[] experts() {
    int used = expertsPerRow();
    int rows = Math.toIntExact(ggml_tensor.ne(ids, 1));
    int[] experts = new int[used * rows];
    try (Arena scratch = Arena.ofConfined()) {
      MemorySegment data = data(ids, scratch);
      for (int row = 0; row < rows; row++) {
        for (int i = 0; i < used; i++) {
          long at = row * ggml_tensor.nb(ids, 1) + i * ggml_tensor.nb(ids, 0);
          experts[row * used + i] = data.get(ValueLayout.JAVA_INT, at);
        }
      }
    }
    return experts;
  }

  /** The bytes of a tensor, copied if they lie on another device. */
  private static MemorySegment data(MemorySegment t, Arena scratch) {
    long bytes = ggml_h.ggml_nbytes(t);
    if (ggml_h.ggml_backend_buffer_is_host(ggml_tensor.buffer(t))) {
      return ggml_tensor.data(t).reinterpret(bytes);
    }
    MemorySegment copy = scratch.allocate(bytes, 64);
    ggml_h.ggml_backend_tensor_get(t, copy, 0, bytes);
    return copy;
  }
}
