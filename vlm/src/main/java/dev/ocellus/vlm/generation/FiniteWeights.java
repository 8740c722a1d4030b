package dev.ocellus.vlm.generation;

import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufTensor;
import dev.ocellus.gguf.TensorType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Whether weights are numbers, for models with ReLU: ggml's gives 0 for what is no number, so that
 * nothing would tell of it behind.
 */
final class FiniteWeights {
  /** Bits of the exponent of F32, F16 and BF16, all of which are set in what is no number. */
  private static final int F32 = 0x7f800000;

  private static final int F16 = 0x7c00;
  private static final int BF16 = 0x7f80;

  private FiniteWeights() {}

  /**
   * @throws NotFiniteException naming the first tensor that holds what is infinite or no number
   */
  static void require(GgufFile file) {
    for (GgufTensor tensor : file.tensors()) {
      if (!isFinite(tensor)) {
        throw new NotFiniteException(
            "%s: the weights hold numbers that are not finite, in %s. The file is damaged, or the weights were stored in a type that is too small for them."
                .formatted(file.path(), tensor.name()));
      }
    }
  }

  private static boolean isFinite(GgufTensor tensor) {
    MemorySegment data = tensor.data().segment();
    long n = tensor.nElements();
    if (tensor.type() == TensorType.F32) {
      for (long i = 0; i < n; i++) {
        if ((data.get(ValueLayout.JAVA_INT_UNALIGNED, 4 * i) & F32) == F32) {
          return false;
        }
      }
    } else if (tensor.type().isHalf()) {
      int exponent = tensor.type() == TensorType.F16 ? F16 : BF16;
      for (long i = 0; i < n; i++) {
        if ((data.get(ValueLayout.JAVA_SHORT_UNALIGNED, 2 * i) & exponent) == exponent) {
          return false;
        }
      }
    }
    return true;
  }
}
