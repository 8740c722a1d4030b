package dev.ocellus.ggml;

import static dev.ocellus.ggml.AccelNode.dataOf;
import static dev.ocellus.ggml.AccelNode.opOf;
import static dev.ocellus.ggml.AccelNode.parameter;
import static dev.ocellus.ggml.AccelNode.sourceOf;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import dev.ocellus.ffi.ggml_h;
import dev.ocellus.ffi.ggml_tensor;
import dev.ocellus.gguf.TensorType;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * GELU by the hyperbolic tangent as a node that only an accelerator computes: ggml has one, which
 * reads a table of F16 on the CPU. What it gates may be multiplied in the same pass. Of the
 * operation that programs define themselves, as {@link AccelLayer} is.
 */
final class AccelActivation {
  /** "OCGT". */
  private static final int MARK = 0x4f434754;

  private AccelActivation() {}

  /** Whether items of such a tensor, each [n0, n1], are worth a node. */
  static boolean fits(Tensor x) {
    return x.isContiguous() && x.size(0) * x.size(1) >= AccelNode.MIN_ELEMENTS;
  }

  /** The same, with numbers that lie alike to be multiplied by. */
  static boolean fits(Tensor x, Tensor factors) {
    return fits(x) && factors.isContiguous() && Arrays.equals(x.shape, factors.shape);
  }

  /**
   * A node that computes it of a contiguous tensor.
   *
   * @param factors what the results are multiplied by, which then take the place of {@code x}; null
   *     for nothing
   */
  static MemorySegment geluTanh(Tensor x, @Nullable Tensor factors) {
    MemorySegment result =
        factors == null
            ? ggml_h.ggml_new_tensor_4d(
                x.context.handle(), TensorType.F32.id(), x.size(0), x.size(1), x.size(2), x.size(3))
            : x.slice(new long[] {}, x.size(0), x.size(1), x.size(2), x.size(3)).handle();
    MemorySegment header = result.reinterpret(ggml_tensor.sizeof());
    MemorySegment params = ggml_tensor.op_params(header);
    params.fill((byte) 0);
    params.set(JAVA_LONG_UNALIGNED, 0, AccelLayer.Untaken.FUNCTION.address());
    params.setAtIndex(JAVA_INT, AccelLayer.TASKS_AT, 1);
    params.setAtIndex(JAVA_INT, AccelLayer.MARK_AT, MARK);
    ggml_tensor.op(header, AccelLayer.CUSTOM);
    ggml_tensor.src(header, 0, x.handle());
    if (factors != null) {
      ggml_tensor.src(header, 1, factors.handle());
    }
    return result;
  }

  static boolean isOne(long node) {
    return opOf(node) == AccelLayer.CUSTOM && parameter(node, AccelLayer.MARK_AT) == MARK;
  }

  /** Where lies what the results are multiplied by; 0 for nothing. */
  static long factors(long node) {
    long factors = sourceOf(node, 1);
    return factors == 0 ? 0 : dataOf(factors);
  }
}
