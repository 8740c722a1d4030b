package dev.ocellus.vlm.sampling;

/** The exponential function of single precision, several times faster than {@link Math#exp}. */
final class Exp {
  private static final double LOG2_E = 1.4426950408889634;
  private static final double LN_2 = 0.6931471805599453;

  /** Below the logarithm of half the smallest float. */
  private static final float ZERO_BELOW = -104f;

  /** Above the logarithm of the largest float. */
  private static final float INFINITY_ABOVE = 89f;

  private Exp() {}

  /**
   * e to the power of x: computed in double precision (relative error below 1e-12), so that the
   * result is the float next to the true value but for about one in a hundred thousand.
   */
  static float exp(float x) {
    if (x < ZERO_BELOW) {
      return 0;
    }
    if (!(x <= INFINITY_ABOVE)) {
      return Float.isNaN(x) ? x : Float.POSITIVE_INFINITY;
    }
    double scaled = x * LOG2_E;
    int power = (int) (scaled + (x < 0 ? -0.5 : 0.5));
    double r = x - power * LN_2; // within half of ln 2 around 0
    // Taylor's series to r^10 / 10!
    double sum =
        1
            + r
                * (1
                    + r
                        * (1 / 2.0
                            + r
                                * (1 / 6.0
                                    + r
                                        * (1 / 24.0
                                            + r
                                                * (1 / 120.0
                                                    + r
                                                        * (1 / 720.0
                                                            + r
                                                                * (1 / 5040.0
                                                                    + r
                                                                        * (1 / 40320.0
                                                                            + r
                                                                                * (1 / 362880.0
                                                                                    + r
                                                                                        * (1
                                                                                            / 3628800.0))))))))));
    return (float) (sum * Double.longBitsToDouble((power + 1023L) << 52));
  }
}
