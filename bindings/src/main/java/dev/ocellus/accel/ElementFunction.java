package dev.ocellus.accel;

/** A function of numbers, each for itself. */
public enum ElementFunction {
  /** GELU by the error function. */
  GELU,
  /** GELU by the hyperbolic tangent. */
  GELU_TANH;

  /** Puts results in the place of the first {@code n} numbers. */
  void apply(float[] values, int n) {
    switch (this) {
      case GELU -> Gelu.apply(values, n);
      case GELU_TANH -> GeluTanh.apply(values, n);
    }
  }
}
