package dev.ocellus.vlm.image;

/**
 * Fixed-point weights of one axis of a resize: output sample i is the sum of {@code count[i]} input
 * samples from {@code first[i]} on, times {@code weights[i * stride ...]}.
 */
final class ResizeKernel {
  /** Fraction bits of a weight: 32 less 8 for the sample less 2 for overshoot and sign. */
  private static final int PILLOW_BITS = 32 - 8 - 2;

  /** Most fraction bits of PyTorch, whose weights must fit into 16 bits with their sign. */
  private static final int TORCH_BITS = 22;

  private static final int TORCH_LIMIT = 1 << 15;

  final int[] first;
  final int[] count;
  final int[] weights;
  final int stride;

  /** One half, with which every sum starts. */
  final int rounding;

  private final int bits;

  /**
   * Weights that map the interval {@code from} to {@code to} of {@code inSize} samples to {@code
   * outSize} samples. The arithmetic, with its mix of float and double, follows Pillow's so that
   * every weight is the same integer.
   */
  ResizeKernel(int inSize, float from, float to, int outSize, ResizeFilter filter) {
    this(inSize, from, to, outSize, filter, 0, outSize);
  }

  /** The same for {@code n} output samples only, from {@code start} on. */
  ResizeKernel(
      int inSize, float from, float to, int outSize, ResizeFilter filter, int start, int n) {
    this(Exact.of(inSize, from, to, outSize, filter, start, n), PILLOW_BITS);
  }

  private ResizeKernel(Exact exact, int bits) {
    this.bits = bits;
    rounding = 1 << (bits - 1);
    first = exact.first;
    count = exact.count;
    stride = exact.stride;
    weights = new int[exact.weights.length];
    for (int i = 0; i < weights.length; i++) {
      double weight = exact.weights[i] * (1 << bits);
      weights[i] = (int) (weight < 0 ? weight - 0.5 : weight + 0.5);
    }
  }

  /**
   * The weights that PyTorch's {@code interpolate} takes for bytes: of 16 bits, with as many
   * fraction bits as the largest one leaves.
   */
  static ResizeKernel torch(int inSize, int outSize, ResizeFilter filter) {
    Exact exact = Exact.of(inSize, 0, inSize, outSize, filter, 0, outSize);
    double max = 0;
    for (double weight : exact.weights) {
      max = Math.max(max, weight);
    }
    int bits = 0;
    while (bits < TORCH_BITS && (int) (0.5 + max * (1 << (bits + 1))) < TORCH_LIMIT) {
      bits++;
    }
    return new ResizeKernel(exact, bits);
  }

  /** Weights before they are rounded, in double precision; they add up to 1. */
  private record Exact(int[] first, int[] count, double[] weights, int stride) {
    static Exact of(
        int inSize, float from, float to, int outSize, ResizeFilter filter, int start, int n) {
      double scale = (double) (to - from) / outSize;
      double filterScale = Math.max(scale, 1.0);
      double support = filter.support() * filterScale;
      double inverse = 1.0 / filterScale;
      int stride = (int) Math.ceil(support) * 2 + 1;
      int[] first = new int[n];
      int[] count = new int[n];
      double[] weights = new double[Math.multiplyExact(n, stride)];
      for (int i = 0; i < n; i++) {
        double center = from + (start + i + 0.5) * scale;
        int begin = Math.max(0, (int) (center - support + 0.5));
        int length = Math.min(inSize, (int) (center + support + 0.5)) - begin;
        double sum = 0;
        for (int j = 0; j < length; j++) {
          double weight = filter.weight((j + begin - center + 0.5) * inverse);
          weights[i * stride + j] = weight;
          sum += weight;
        }
        for (int j = 0; j < length && sum != 0; j++) {
          weights[i * stride + j] /= sum;
        }
        first[i] = begin;
        count[i] = length;
      }
      return new Exact(first, count, weights, stride);
    }
  }

  /** First input sample that any output sample reads. */
  int firstInput() {
    return first[0];
  }

  /** One past the last input sample that any output sample reads. */
  int endInput() {
    int last = first.length - 1;
    return first[last] + count[last];
  }

  /** The 8-bit sample of a fixed-point sum. */
  byte clip(int sum) {
    return Samples.clip(sum >> bits);
  }
}
