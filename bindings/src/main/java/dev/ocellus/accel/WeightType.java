package dev.ocellus.accel;

/** Types of floats that the weights of a {@link Product} may have. */
public enum WeightType {
  F32(4),
  F16(2),
  BF16(2);

  private final int bytes;

  WeightType(int bytes) {
    this.bytes = bytes;
  }

  int bytes() {
    return bytes;
  }
}
