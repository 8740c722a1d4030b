package dev.ocellus.compute;

/**
 * Which library multiplies large matrices of F32, F16 and BF16 on a CPU, where ggml's own kernels
 * would. Quantized matrices, and small ones, stay with ggml.
 */
public enum Accelerator {
  /**
   * What the variable {@code OCELLUS_ACCEL} or the property {@code ocellus.accel} names; otherwise
   * what suits the processor best: OpenBLAS for F32, oneDNN for BF16. ggml alone where neither can
   * be used.
   */
  AUTO,
  /** ggml alone. */
  OFF,
  /** OpenBLAS for F32. */
  OPENBLAS,
  /** oneDNN for F32 and BF16. */
  ONEDNN
}
