package dev.ocellus.accel;

import dev.ocellus.accel.Product.Matrices;

/**
 * A product of a matrix of weights that are not BF16, {@code d = x · wᵀ}, rows in one piece. Both
 * operands are rounded to BF16.
 *
 * @param toF32 widens rows of the weights
 * @param m rows of {@code x} and {@code d}
 * @param n rows of {@code w}, columns of {@code d}
 * @param k columns of {@code x} and {@code w}
 * @param w the weights, a single matrix
 * @param x floats, a single matrix
 * @param d floats, a single matrix
 */
public record ConvertedProduct(
    RowConversion toF32, int m, int n, int k, Matrices w, Matrices x, Matrices d) {}
