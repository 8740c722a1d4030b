package dev.ocellus.accel;

/** A function of numbers, each for itself. */
public enum ElementFunction {
  /** GELU by the error function. */
  GELU,
  /** GELU by the hyperbolic tangent. */
  GELU_TANH,
  /** {@code x · sigmoid(1.702 x)}. */
  QUICK_GELU;

  /** Puts results in the place of the first {@code n} numbers. */
  void apply(float[] values, int n) {
    switch (this) {
      case GELU -> Gelu.apply(values, n);
      case GELU_TANH -> GeluTanh.apply(values, n);
      case QUICK_GELU -> QuickGelu.apply(values, n);
    }
  }
}
