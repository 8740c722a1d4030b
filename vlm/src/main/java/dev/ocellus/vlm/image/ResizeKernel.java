package dev.ocellus.vlm.image;

/**
 * Fixed-point weights of one axis of a resize: output sample i is the sum of {@code count[i]} input
 * samples from {@code first[i]} on, times {@code weights[i * stride ...]}.
 */
final class ResizeKernel {
  /** Fraction bits of a weight: 32 less 8 for the sample less 2 for overshoot and sign. */
  static final int PRECISION_BITS = 32 - 8 - 2;

  /** One half, with which every sum starts. */
  static final int ROUNDING = 1 << (PRECISION_BITS - 1);

  final int[] first;
  final int[] count;
  final int[] weights;
  final int stride;

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
    double scale = (double) (to - from) / outSize;
    double filterScale = Math.max(scale, 1.0);
    double support = filter.support() * filterScale;
    double inverse = 1.0 / filterScale;
    stride = (int) Math.ceil(support) * 2 + 1;
    first = new int[n];
    count = new int[n];
    weights = new int[Math.multiplyExact(n, stride)];
    double[] exact = new double[stride];
    for (int i = 0; i < n; i++) {
      double center = from + (start + i + 0.5) * scale;
      int begin = Math.max(0, (int) (center - support + 0.5));
      int length = Math.min(inSize, (int) (center + support + 0.5)) - begin;
      double sum = 0;
      for (int j = 0; j < length; j++) {
        exact[j] = filter.weight((j + begin - center + 0.5) * inverse);
        sum += exact[j];
      }
      for (int j = 0; j < length; j++) {
        double weight = (sum != 0 ? exact[j] / sum : exact[j]) * (1 << PRECISION_BITS);
        weights[i * stride + j] = (int) (weight < 0 ? weight - 0.5 : weight + 0.5);
      }
      first[i] = begin;
      count[i] = length;
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
  static byte clip(int sum) {
    return Samples.clip(sum >> PRECISION_BITS);
  }
}
