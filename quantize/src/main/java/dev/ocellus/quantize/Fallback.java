package dev.ocellus.quantize;

import dev.ocellus.Setting;
import dev.ocellus.gguf.GgufTensor;
import dev.ocellus.gguf.TensorType;

/** Types for tensors whose rows do not fill the blocks of the type that was meant for them. */
final class Fallback {
  /** Width, height, channels in and out. */
  private static final int KERNEL_DIMS = 4;

  private Fallback() {}

  static TensorType of(GgufTensor t, TensorType wanted) {
    TensorType smaller =
        switch (wanted) {
          case IQ1_S, IQ1_M, IQ2_XXS, IQ2_XS, IQ2_S, IQ3_XXS, IQ3_S, IQ4_XS -> TensorType.IQ4_NL;
          case Q2_0, Q2_K, Q3_K, TQ1_0, TQ2_0 -> TensorType.Q4_0;
          case Q4_K -> TensorType.Q5_0;
          case Q5_K -> TensorType.Q5_1;
          case Q6_K -> TensorType.Q8_0;
          default -> wanted;
        };
    boolean fits = t.dim(0) % smaller.blockSize() == 0;
    // rows of a kernel are a few pixels long, and what is said about matrices is not about them
    if (smaller == wanted && wanted.blockSize() > 32 && t.nDims() < KERNEL_DIMS) {
      throw new QuantizeException(
              "%s: rows of %d do not fill blocks of %d, which %s has, and it has no fallback type. Give the tensor a type."
                  .formatted(t.name(), t.dim(0), wanted.blockSize(), wanted.ggmlName()))
          .about(Setting.TENSOR_TYPE);
    }
    return fits ? smaller : TensorType.F16;
  }
}
