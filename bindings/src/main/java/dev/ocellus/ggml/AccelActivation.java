package dev.ocellus.ggml;

import static dev.ocellus.ggml.AccelNode.dataOf;
import static dev.ocellus.ggml.AccelNode.opOf;
import static dev.ocellus.ggml.AccelNode.parameter;
import static dev.ocellus.ggml.AccelNode.sourceOf;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import dev.ocellus.accel.Bounds;
import dev.ocellus.accel.ElementFunction;
import dev.ocellus.accel.Elements;
import dev.ocellus.ffi.ggml_h;
import dev.ocellus.ffi.ggml_tensor;
import dev.ocellus.gguf.TensorType;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * An activation as a node that only an accelerator computes: those that ggml has read tables of F16
 * on the CPU. What one gates may be multiplied in the same pass. Of the operation that programs
 * define themselves, as {@link AccelLayer} is.
 */
final class AccelActivation {
  /** "OCGT". */
  private static final int MARK = 0x4f434754;

  private static final int FUNCTION_AT = AccelLayer.MARK_AT + 1;
  private static final ElementFunction[] FUNCTIONS = ElementFunction.values();

  /** Ends of the ranges of what is read, of the factors and of the results. */
  private static final int BOUNDS_AT = AccelLayer.MARK_AT + 2;

  private static final int RANGES = 3;

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
   * A node that computes a function of the elements of a contiguous tensor.
   *
   * @param factors what the results are multiplied by, which then take the place of {@code x}; null
   *     for nothing
   * @param ranges that the numbers of {@code x}, the factors and the results are held within; none
   *     for all numbers
   */
  static MemorySegment of(
      ElementFunction function, Tensor x, @Nullable Tensor factors, Range... ranges) {
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
    params.setAtIndex(JAVA_INT, FUNCTION_AT, function.ordinal());
    for (int i = 0; i < RANGES; i++) {
      Range range = i < ranges.length ? ranges[i] : Range.ALL;
      params.setAtIndex(JAVA_FLOAT, BOUNDS_AT + 2L * i, range.low());
      params.setAtIndex(JAVA_FLOAT, BOUNDS_AT + 2L * i + 1, range.high());
    }
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

  /** What is computed. */
  static Elements operation(long node) {
    long factors = sourceOf(node, 1);
    return new Elements(
        FUNCTIONS[parameter(node, FUNCTION_AT)],
        AccelNode.source(node),
        factors == 0 ? 0 : dataOf(factors),
        AccelNode.target(node),
        AccelNode.elements(node),
        bounds(node, 0),
        bounds(node, 1),
        bounds(node, 2));
  }

  private static Bounds bounds(long node, int i) {
    return new Bounds(
        Float.intBitsToFloat(parameter(node, BOUNDS_AT + 2 * i)),
        Float.intBitsToFloat(parameter(node, BOUNDS_AT + 2 * i + 1)));
  }
}
