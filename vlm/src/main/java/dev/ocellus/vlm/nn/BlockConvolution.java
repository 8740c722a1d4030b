package dev.ocellus.vlm.nn;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import org.jspecify.annotations.Nullable;

/**
 * A convolution whose stride is its kernel, over rows of which those of a square follow each other:
 * every square becomes one row. Computed as a product of matrices, with the kernel widened to F32.
 */
public final class BlockConvolution {
  private final Tensor kernel;
  private final @Nullable Tensor bias;
  private final long square;

  private BlockConvolution(Tensor kernel, @Nullable Tensor bias, long square) {
    this.kernel = kernel;
    this.bias = bias;
    this.square = square;
  }

  /**
   * Weights {@code weight} [side, side, nIn, nOut] and, where the file has it, {@code bias} [nOut].
   *
   * @param side rows of a square's side
   */
  public static BlockConvolution of(Weights w, long side, long nIn, long nOut) {
    long square = side * side;
    return new BlockConvolution(
        w.f32Reshaped("weight", new long[] {side, side, nIn, nOut}, square * nIn, nOut),
        w.findF32("bias", nOut),
        square);
  }

  /** Channels out, nOut, as the weight has them; 1 for one that is no kernel, which is refused. */
  public static long outputs(Weights w) {
    long[] shape = w.shape("weight");
    return shape.length > 3 ? shape[3] : 1;
  }

  /** From [nIn, n, batch], square after square, to [nOut, n / side², batch]. */
  public Tensor forward(Tensor x) {
    long nIn = x.size(0);
    long n = x.size(1) / square;
    Tensor y = x;
    if (square > 1) {
      y =
          x.reshape(nIn, square, n, x.size(2))
              .permute(1, 0, 2, 3)
              .contiguous() // [in the square, channel, …], as the kernel has them
              .reshape(square * nIn, n, x.size(2));
    }
    y = y.mulMat(kernel);
    return bias == null ? y : y.add(bias);
  }
}
