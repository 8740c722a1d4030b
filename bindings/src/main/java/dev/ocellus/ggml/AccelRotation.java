package dev.ocellus.ggml;

import static dev.ocellus.ggml.AccelNode.dataOf;
import static dev.ocellus.ggml.AccelNode.nb;
import static dev.ocellus.ggml.AccelNode.ne;
import static dev.ocellus.ggml.AccelNode.opOf;
import static dev.ocellus.ggml.AccelNode.parameter;
import static dev.ocellus.ggml.AccelNode.sourceOf;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import dev.ocellus.accel.Product.Matrices;
import dev.ocellus.accel.Rotation;
import dev.ocellus.ffi.ggml_h;
import dev.ocellus.ffi.ggml_tensor;
import dev.ocellus.gguf.TensorType;
import java.lang.foreign.MemorySegment;

/**
 * Rotary positions as a node that only an accelerator computes. Of the operation that programs
 * define themselves, as {@link AccelLayer} is.
 */
final class AccelRotation {
  /** "OCRO". */
  private static final int MARK = 0x4f43524f;

  private static final int BLOCK_AT = AccelLayer.MARK_AT + 1;

  private AccelRotation() {}

  /** Whether items of such a tensor, each [n0, n1, n2], are worth a node, with tables for it. */
  static boolean fits(Tensor x, Tensor cos, Tensor sin) {
    long rows = x.size(2) * x.size(3);
    return isTableOf(x, cos)
        && isTableOf(x, sin)
        && x.size(0) * x.size(1) * x.size(2) >= AccelNode.MIN_ELEMENTS
        && x.size(0) * x.size(1) <= Integer.MAX_VALUE
        && rows <= Integer.MAX_VALUE;
  }

  private static boolean isTableOf(Tensor x, Tensor table) {
    return table.isContiguous()
        && table.size(0) == x.size(0)
        && table.size(2) == x.size(2)
        && table.nElements() == x.size(0) * x.size(2);
  }

  /** A node that turns F32 with contiguous rows. */
  static MemorySegment of(Tensor x, Tensor cos, Tensor sin, long block) {
    MemorySegment result =
        ggml_h.ggml_new_tensor_4d(
            x.context.handle(), TensorType.F32.id(), x.size(0), x.size(1), x.size(2), x.size(3));
    MemorySegment header = result.reinterpret(ggml_tensor.sizeof());
    MemorySegment params = ggml_tensor.op_params(header);
    params.fill((byte) 0);
    params.set(JAVA_LONG_UNALIGNED, 0, AccelLayer.Untaken.FUNCTION.address());
    params.setAtIndex(JAVA_INT, AccelLayer.TASKS_AT, 1);
    params.setAtIndex(JAVA_INT, AccelLayer.MARK_AT, MARK);
    params.setAtIndex(JAVA_INT, BLOCK_AT, Math.toIntExact(block));
    ggml_tensor.op(header, AccelLayer.CUSTOM);
    ggml_tensor.src(header, 0, x.handle());
    ggml_tensor.src(header, 1, cos.handle());
    ggml_tensor.src(header, 2, sin.handle());
    return result;
  }

  static boolean isOne(long node) {
    return opOf(node) == AccelLayer.CUSTOM && parameter(node, AccelLayer.MARK_AT) == MARK;
  }

  /** What is computed. */
  static Rotation operation(long node) {
    long x = sourceOf(node, 0);
    return new Rotation(
        (int) ne(x, 0),
        parameter(node, BLOCK_AT),
        (int) ne(x, 1),
        (int) ne(x, 2),
        (int) ne(x, 3),
        new Matrices(dataOf(x), nb(x, 1), nb(x, 2), nb(x, 3), 1, 1),
        dataOf(sourceOf(node, 1)),
        dataOf(sourceOf(node, 2)),
        dataOf(node));
  }
}
