package dev.ocellus.ggml;

import static dev.ocellus.ggml.Checks.require;

import dev.ocellus.ffi.ggml_h;
import dev.ocellus.gguf.TensorType;

/**
 * Operations of mixtures of experts, where every row chooses the matrices that it goes through.
 * Shapes are in ggml order, innermost first.
 */
public final class ExpertProducts {
  private ExpertProducts() {}

  /**
   * Where the largest elements of every row stand, the largest first; of equal ones any.
   *
   * @param x [n0, n] in F32; numbers that are none count as the largest
   * @param k how many, at most n0
   * @return [k, n] in I32, which {@link Tensor#getRows} and {@link #mulMat} take
   */
  public static Tensor largest(Tensor x, int k) {
    x.checkF32Contiguous("largest");
    require(
        k >= 1 && k <= x.size(0) && x.size(2) == 1 && x.size(3) == 1,
        () -> "largest: %d of each row cannot be chosen of %s".formatted(k, x.describe()));
    // ggml sorts with a comparison that has to order all numbers, which NaN is not part of
    Tensor ordered = x.clamp(-Float.MAX_VALUE, Float.MAX_VALUE);
    Tensor chosen = x.node(ggml_h.ggml_argsort_top_k(x.context.handle(), ordered.handle(), k));
    x.context.limitIndices(chosen, x.size(0));
    return chosen;
  }

  /**
   * Products of rows with matrices of their own.
   *
   * @param x [nIn, k, n] in F32, or [nIn, 1, n] where all k matrices get the same row
   * @param matrices [nIn, nOut, nExperts] of any type
   * @param ids [k, n] from {@link #largest}, of elements of rows as long as there are experts
   * @return [nOut, k, n] in F32
   */
  public static Tensor mulMat(Tensor x, Tensor matrices, Tensor ids) {
    x.checkF32Rows("mulMat by experts");
    require(
        matrices.isContiguous() && matrices.size(3) == 1 && matrices.size(0) == x.size(0),
        () ->
            "mulMat by experts: %s cannot be applied to %s"
                .formatted(matrices.describe(), x.describe()));
    require(
        ids.type() == TensorType.I32
            && ids.size(1) == x.size(2)
            && ids.size(2) == 1
            && ids.size(3) == 1
            && x.size(3) == 1
            && (x.size(1) == 1 || x.size(1) == ids.size(0)),
        () ->
            "mulMat by experts: %s does not choose for the rows of %s"
                .formatted(ids.describe(), x.describe()));
    require(
        ids.context.indexLimit(ids) <= matrices.size(2),
        () ->
            "mulMat by experts: %s may hold numbers up to %d, but there are %d matrices in %s"
                .formatted(
                    ids.describe(),
                    ids.context.indexLimit(ids) - 1,
                    matrices.size(2),
                    matrices.describe()));
    return x.node(
        ggml_h.ggml_mul_mat_id(x.context.handle(), matrices.handle(), x.handle(), ids.handle()));
  }
}
