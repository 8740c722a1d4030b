package dev.ocellus.ggml;

import static dev.ocellus.ggml.Checks.require;

/**
 * A range that numbers are held within.
 *
 * @param low the least number; may be minus infinity
 * @param high the largest number; may be infinity
 */
public record Range(float low, float high) {
  /** All numbers. */
  public static final Range ALL = new Range(Float.NEGATIVE_INFINITY, Float.POSITIVE_INFINITY);

  public Range {
    require(low <= high, () -> "range: expected low <= high, found %s and %s".formatted(low, high));
  }

  /** {@code x} within the range: of all numbers, {@code x} itself. */
  public Tensor clip(Tensor x) {
    return equals(ALL) ? x : x.clamp(low, high);
  }
}
