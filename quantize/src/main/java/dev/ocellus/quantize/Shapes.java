package dev.ocellus.quantize;

import dev.ocellus.gguf.GgufTensor;
import java.util.Arrays;

/** Shapes as ggml sees them: trailing ones do not count. */
final class Shapes {
  private Shapes() {}

  static int nDims(GgufTensor t) {
    int n = t.nDims();
    while (n > 1 && t.dim(n - 1) == 1) {
      n--;
    }
    return n;
  }

  /** Sizes in ggml order, innermost first, without trailing ones. */
  static long[] of(GgufTensor t) {
    long[] all = t.shape().stream().mapToLong(Long::longValue).toArray();
    return Arrays.copyOf(all, nDims(t));
  }

  static long nRows(GgufTensor t) {
    return t.nElements() / t.dim(0);
  }
}
