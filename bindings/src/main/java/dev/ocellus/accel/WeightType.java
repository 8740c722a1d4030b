package dev.ocellus.accel;

/** Types of weights that products are taken with. */
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
