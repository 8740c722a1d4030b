package dev.ocellus.vlm.nn;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.TensorType;

/**
 * {@code W x} in the precision that the weights were loaded for.
 *
 * <p>With F32 precision a matrix of F16 or BF16 is widened in the graph, just before its product,
 * as ggml's kernels for these types round the activations too. That costs 2 % of the time at 600
 * rows and the memory of the largest matrix. An accelerator widens it by itself.
 */
final class MatrixProduct {
  /**
   * ggml's fast kernels take this many elements of a row at once, and refuse what is left over: the
   * whole product would be computed by single dot products then, at a third of the speed.
   */
  private static final int UNIT = 32;

  private final Weights weights;
  private final Tensor weight;
  private final boolean widen;
  private final long whole;

  private MatrixProduct(Weights weights, Tensor weight, boolean widen, long whole) {
    this.weights = weights;
    this.weight = weight;
    this.widen = widen;
    this.whole = whole;
  }

  /** The weight {@code name} [nIn, nOut]. */
  static MatrixProduct of(Weights w, String name, long nIn, long nOut) {
    Tensor weight = w.matrix(name, nIn, nOut);
    boolean cut = w.onCpu() && isFloat(weight.type()) && nIn > UNIT;
    return new MatrixProduct(
        w, weight, w.widensMatrices() && isFloat(weight.type()), cut ? nIn / UNIT * UNIT : nIn);
  }

  private static boolean isFloat(TensorType type) {
    return type == TensorType.F32 || type == TensorType.F16 || type == TensorType.BF16;
  }

  /**
   * From [nIn, n] to [nOut, n].
   *
   * @param itemRows rows of one of the items that are computed together: of an image or a text
   */
  Tensor forward(Tensor x, long itemRows) {
    long nItems = x.size(1) / itemRows;
    if (weights.accelerates(weight, itemRows)) {
      return product(x).ofItems(itemRows, nItems);
    }
    Tensor matrix = weight;
    if (widen && weight.type() != TensorType.F32) {
      x.computeFirst();
      matrix = weight.inGraphOf(x).toF32();
    }
    long rest = x.size(0) - whole;
    if (rest == 0) {
      return x.mulMat(matrix).ofItems(itemRows, nItems);
    }
    matrix = matrix.inGraphOf(x);
    return part(x, 0, whole)
        .contiguous() // the kernel for F32 wants its rows one after the other
        .mulMat(part(matrix, 0, whole))
        .ofItems(itemRows, nItems)
        .add(part(x, whole, rest).contiguous().mulMat(part(matrix, whole, rest)));
  }

  /** By an accelerator, which widens or rounds the matrix by itself. */
  private Tensor product(Tensor x) {
    if (widen) {
      return x.mulMatExactly(weight);
    }
    return weights.roundsToBf16() ? x.mulMatRounded(weight) : x.mulMat(weight);
  }

  /** Elements of every row. */
  private static Tensor part(Tensor x, long from, long count) {
    return x.slice(new long[] {from}, count, x.size(1));
  }
}
