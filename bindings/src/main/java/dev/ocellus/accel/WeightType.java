package dev.ocellus.accel;

/** Types of weights that products are taken with. */
public enum WeightType {
  F32(4),
  F16(2),
  BF16(2),

  /** Whole numbers with a scale for each block; their bytes are not a weight's own. */
  QUANTIZED(0);

  private final int bytes;

  WeightType(int bytes) {
    this.bytes = bytes;
  }

  int bytes() {
    return bytes;
  }
}
