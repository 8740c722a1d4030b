package dev.ocellus.ggml;

import static dev.ocellus.ggml.Checks.require;

import dev.ocellus.accel.ElementFunction;
import dev.ocellus.ffi.ggml_h;
import dev.ocellus.gguf.TensorType;
import java.lang.foreign.MemorySegment;

/** Operations on elements and on rows: arithmetic, activations, normalization, reductions. */
abstract sealed class TensorMath extends TensorHeader permits Tensor {
  TensorMath(TensorContext context, MemorySegment handle) {
    super(context, handle);
  }

  abstract Tensor self();

  // ---- arithmetic

  /** Sum, with {@code other} broadcast. */
  public final Tensor add(Tensor other) {
    checkBroadcast("add", other);
    return node(ggml_h.ggml_add(context.handle(), handle, other.handle));
  }

  /** Difference, with {@code other} broadcast. */
  public final Tensor sub(Tensor other) {
    checkBroadcast("sub", other);
    return node(ggml_h.ggml_sub(context.handle(), handle, other.handle));
  }

  /** Product by element, with {@code other} broadcast. */
  public final Tensor mul(Tensor other) {
    checkBroadcast("mul", other);
    return node(ggml_h.ggml_mul(context.handle(), handle, other.handle));
  }

  /** Quotient by element, with {@code other} broadcast. */
  public final Tensor div(Tensor other) {
    checkBroadcast("div", other);
    return node(ggml_h.ggml_div(context.handle(), handle, other.handle));
  }

  /** Product with a number. */
  public final Tensor scale(float factor) {
    checkF32Contiguous("scale");
    return node(ggml_h.ggml_scale(context.handle(), handle, factor));
  }

  /** Sum with a number. */
  public final Tensor plus(float number) {
    checkF32Contiguous("plus");
    return node(ggml_h.ggml_scale_bias(context.handle(), handle, 1, number));
  }

  /** {@code x²}. */
  public final Tensor square() {
    checkF32Rows("square");
    return node(ggml_h.ggml_sqr(context.handle(), handle));
  }

  /** {@code min(max(x, low), high)}. */
  public final Tensor clamp(float low, float high) {
    checkF32Contiguous("clamp");
    require(low <= high, () -> "clamp: expected low <= high, found %s and %s".formatted(low, high));
    return node(ggml_h.ggml_clamp(context.handle(), handle, low, high));
  }

  // ---- activations

  /** {@code x · sigmoid(x)}. */
  public final Tensor silu() {
    checkF32Rows("silu");
    return node(ggml_h.ggml_silu(context.handle(), handle));
  }

  /** {@code 1 / (1 + exp(-x))}. */
  public final Tensor sigmoid() {
    checkF32Rows("sigmoid");
    return node(ggml_h.ggml_sigmoid(context.handle(), handle));
  }

  /** {@code max(x, 0)}. */
  public final Tensor relu() {
    checkF32Rows("relu");
    return node(ggml_h.ggml_relu(context.handle(), handle));
  }

  /** {@code x} where it is positive, {@code slope · x} elsewhere. */
  public final Tensor leakyRelu(float slope) {
    // of two, as the sign decides which of them is 0: exact, and every device has both
    return relu().sub(scale(-1).relu().scale(slope));
  }

  public final Tensor tanh() {
    checkF32Rows("tanh");
    return node(ggml_h.ggml_tanh(context.handle(), handle));
  }

  /** GELU by the error function, in F32: what {@code torch.nn.GELU()} computes. */
  public final Tensor geluErf() {
    checkF32Rows("geluErf");
    return node(ggml_h.ggml_gelu_erf(context.handle(), handle));
  }

  /**
   * {@code x · sigmoid(1.702 x)}, CLIP's activation, in F32.
   *
   * <p>ggml's own {@code gelu_quick} reads a table of F16 values on the CPU, which costs about 1e-3
   * in the embeddings; the same from its F32 {@code silu} does not. An accelerator computes large
   * ones in one pass.
   */
  public final Tensor geluQuick() {
    checkF32Rows("geluQuick");
    if (context.isAccelerated() && AccelActivation.fits(self())) {
      return node(AccelActivation.of(ElementFunction.QUICK_GELU, self(), null));
    }
    return scale(1.702f).silu().scale(1 / 1.702f);
  }

  /**
   * GELU by the hyperbolic tangent, in F32: {@code gelu_pytorch_tanh}. It is {@code x · sigmoid(2
   * sqrt(2/π) (x + 0.044715 x³))}; ggml's own {@code gelu} reads an F16 table on the CPU. An
   * accelerator computes large ones in one pass.
   */
  public final Tensor geluTanh() {
    checkF32Rows("geluTanh");
    if (context.isAccelerated() && AccelActivation.fits(self())) {
      return node(AccelActivation.of(ElementFunction.GELU_TANH, self(), null));
    }
    float twice = (float) (2 * Math.sqrt(2 / Math.PI));
    // x · sigmoid(x u) = silu(x u) / u, and ggml's silu is vectorized where its sigmoid is not
    Tensor u =
        node(
            ggml_h.ggml_scale_bias(context.handle(), mul(self()).handle, twice * 0.044715f, twice));
    return mul(u).silu().div(u);
  }

  /**
   * {@link #geluTanh} times {@code factors}, element by element: an accelerator does both in one
   * pass, and writes the results over this tensor, which nothing else may read.
   *
   * @param own the range that this tensor's numbers are held within before
   * @param factors of the same shape
   * @param ofFactors the range that these are held within before
   * @param results the range that the products are held within
   */
  public final Tensor geluTanhTimes(Range own, Tensor factors, Range ofFactors, Range results) {
    checkF32Rows("geluTanhTimes");
    factors.checkF32Rows("geluTanhTimes");
    if (context.isAccelerated() && AccelActivation.fits(self(), factors)) {
      return node(
          AccelActivation.of(ElementFunction.GELU_TANH, self(), factors, own, ofFactors, results));
    }
    return results.clip(own.clip(self()).geluTanh().mul(ofFactors.clip(factors)));
  }

  // ---- rotary positions

  /**
   * {@code x · cos + y · sin}, where {@code y} is {@code x} with the blocks of each row exchanged
   * in pairs: rotary positions (arXiv:2104.09864), if the first sine of each pair has the minus of
   * the rotation. An accelerator computes it in one pass, to the same numbers.
   *
   * @param cos [n0, 1, n2]
   * @param sin [n0, 1, n2]
   * @param block how many numbers are exchanged with as many behind them; twice it divides n0
   */
  public final Tensor turned(Tensor cos, Tensor sin, long block) {
    checkBroadcast("turned", cos);
    checkBroadcast("turned", sin);
    require(
        block > 0 && shape[0] % (2 * block) == 0,
        () -> "turned: rows of %s have no pairs of blocks of %d".formatted(describe(), block));
    return context.isAccelerated() && AccelRotation.fits(self(), cos, sin)
        ? node(AccelRotation.of(self(), cos, sin, block))
        : mul(cos).add(exchanged(block).mul(sin));
  }

  private Tensor exchanged(long block) {
    if (shape[0] == 2 * block) {
      Tensor second = self().slice(new long[] {block}, block, shape[1], shape[2], shape[3]);
      return second.concat(self().slice(new long[] {}, block, shape[1], shape[2], shape[3]), 0);
    }
    long nPairs = shape[0] / (2 * block) * shape[1];
    long n = shape[2] * shape[3];
    Tensor pairs = self().contiguous().reshape(block, 2, nPairs, n);
    Tensor second = pairs.slice(new long[] {0, 1}, block, 1, nPairs, n);
    return second
        .concat(pairs.slice(new long[] {}, block, 1, nPairs, n), 1)
        .reshape(shape[0], shape[1], shape[2], shape[3]);
  }

  // ---- normalization

  /** Rows to mean 0 and variance 1: {@code (x - mean) / sqrt(var + eps)}. */
  public final Tensor norm(float eps) {
    checkF32Rows("norm");
    require(eps >= 0, () -> "norm: eps must not be negative, found " + eps);
    return node(ggml_h.ggml_norm(context.handle(), handle, eps));
  }

  /** Rows to mean square 1: {@code x / sqrt(mean(x²) + eps)}. */
  public final Tensor rmsNorm(float eps) {
    checkF32Rows("rmsNorm");
    require(eps >= 0, () -> "rmsNorm: eps must not be negative, found " + eps);
    return node(ggml_h.ggml_rms_norm(context.handle(), handle, eps));
  }

  /**
   * Rows to length 1: {@code x / max(|x|, eps)}, what {@code torch.nn.functional.normalize} does.
   */
  public final Tensor l2Norm(float eps) {
    checkF32Rows("l2Norm");
    require(eps >= 0, () -> "l2Norm: eps must not be negative, found " + eps);
    return node(ggml_h.ggml_l2_norm(context.handle(), handle, eps));
  }

  // ---- softmax

  /** {@code softmax(scale · x)} along the rows. */
  public final Tensor softMax(float scale) {
    checkF32Rows("softMax");
    require(isContiguous(), () -> "softMax: expected a contiguous tensor, found " + describe());
    return node(ggml_h.ggml_soft_max_ext(context.handle(), handle, MemorySegment.NULL, scale, 0f));
  }

  /**
   * {@code softmax(scale · x + mask)} along the rows.
   *
   * @param mask {@code [n0, at least n1, …]} in F32 or F16, contiguous; outer sizes are repeated
   */
  public final Tensor softMax(float scale, Tensor mask) {
    checkF32Rows("softMax");
    require(
        isContiguous()
            && mask.isContiguous()
            && (mask.type == TensorType.F32 || mask.type == TensorType.F16)
            && mask.shape[0] == shape[0]
            && mask.shape[1] >= shape[1]
            && shape[2] % mask.shape[2] == 0
            && shape[3] % mask.shape[3] == 0,
        () -> "softMax: the mask %s does not fit %s".formatted(mask.describe(), describe()));
    return node(ggml_h.ggml_soft_max_ext(context.handle(), handle, mask.handle, scale, 0f));
  }

  // ---- reductions

  /** Sums of the rows: [1, n1, n2, n3]. */
  public final Tensor sumRows() {
    checkF32Rows("sumRows");
    return node(ggml_h.ggml_sum_rows(context.handle(), handle));
  }

  /** Means of the rows: [1, n1, n2, n3]. */
  public final Tensor meanRows() {
    checkF32Rows("meanRows");
    return node(ggml_h.ggml_mean(context.handle(), handle));
  }

  /**
   * Where the largest element of every row stands. Which one of equal elements is told depends on
   * the device (on a CPU the last); compare in Java where that matters.
   *
   * @return [n1] in I32, for this tensor [n0, n1]
   */
  public final Tensor argmax() {
    checkF32Rows("argmax");
    require(
        shape[2] == 1 && shape[3] == 1 && shape[0] <= Integer.MAX_VALUE,
        () -> "argmax: expected a matrix, found " + describe());
    return node(ggml_h.ggml_argmax(context.handle(), handle));
  }

  final Tensor node(MemorySegment result) {
    return context.node(result);
  }
}
