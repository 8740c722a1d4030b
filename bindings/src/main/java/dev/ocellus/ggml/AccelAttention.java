package dev.ocellus.ggml;

import static dev.ocellus.ggml.AccelNode.dataOf;
import static dev.ocellus.ggml.AccelNode.hasRows;
import static dev.ocellus.ggml.AccelNode.isF32;
import static dev.ocellus.ggml.AccelNode.matrices;
import static dev.ocellus.ggml.AccelNode.nb;
import static dev.ocellus.ggml.AccelNode.ne;
import static dev.ocellus.ggml.AccelNode.numbered;
import static dev.ocellus.ggml.AccelNode.opOf;
import static dev.ocellus.ggml.AccelNode.parameter;
import static dev.ocellus.ggml.AccelNode.sourceOf;

import dev.ocellus.accel.AttentionHeads;
import dev.ocellus.accel.Product.Matrices;
import dev.ocellus.accel.ScoreMask;
import dev.ocellus.ffi.ggml_h;
import org.jspecify.annotations.Nullable;

/**
 * Attention in one node, in graphs of this project that ask for it ({@link Tensor#accelerated});
 * libllama's own attention stays with ggml.
 */
final class AccelAttention {
  private static final int ATTENTION = numbered("FLASH_ATTN_EXT", ggml_h::ggml_op_name);

  /** Place of the mark among the parameters, behind ggml's own. */
  static final int MARK_AT = 14;

  /** Marks: to be computed in F32, or with what is multiplied in BF16. */
  static final int EXACT = 1;

  static final int ROUNDED = 2;

  private static final int MASK = 3;
  private static final int SINKS = 4;

  private AccelAttention() {}

  /** Whether a node is one that is taken. */
  static boolean isOne(long node) {
    return opOf(node) == ATTENTION
        && parameter(node, MARK_AT) != 0
        && isMask(sourceOf(node, MASK))
        && sourceOf(node, SINKS) == 0
        && isReadable(sourceOf(node, 0))
        && isReadable(sourceOf(node, 1))
        && isReadable(sourceOf(node, 2));
  }

  private static boolean isMask(long tensor) {
    return tensor == 0 || AccelNode.isF16(tensor) && hasRows(tensor, 2);
  }

  private static boolean isReadable(long tensor) {
    return isF32(tensor) && hasRows(tensor, 4) && ne(tensor, 1) <= Integer.MAX_VALUE;
  }

  /** What is computed. */
  static AttentionHeads heads(long node) {
    long q = sourceOf(node, 0);
    long k = sourceOf(node, 1);
    long v = sourceOf(node, 2);
    int nHead = (int) ne(q, 2);
    int nItems = (int) ne(q, 3);
    int repeat2 = nHead / (int) ne(k, 2);
    int repeat3 = nItems / (int) ne(k, 3);
    return new AttentionHeads(
        parameter(node, MARK_AT) == ROUNDED,
        Float.intBitsToFloat(parameter(node, 0)),
        (int) ne(q, 1),
        (int) ne(k, 1),
        (int) ne(q, 0),
        (int) ne(v, 0),
        matrices(q, 1, 1),
        matrices(k, repeat2, repeat3),
        matrices(v, repeat2, repeat3),
        new Matrices(
            dataOf(node), nb(node, 2), nb(node, 1), nb(node, 3), 1, 1), // heads inside rows
        mask(sourceOf(node, MASK)),
        nHead,
        nItems);
  }

  private static @Nullable ScoreMask mask(long tensor) {
    return tensor == 0
        ? null
        : new ScoreMask(
            dataOf(tensor),
            nb(tensor, 1),
            nb(tensor, 2),
            nb(tensor, 3),
            (int) ne(tensor, 2),
            (int) ne(tensor, 3));
  }
}
