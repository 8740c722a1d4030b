package dev.ocellus.vlm.model;

/**
 * How many tokens a picture may become, for architectures that resize pictures to a number of
 * tokens of their choice. The others have a fixed number and do not look at this.
 *
 * @param min least tokens of a picture; 0 for the model's own limit
 * @param max most tokens of a picture; 0 for the model's own limit
 */
public record TokenLimits(int min, int max) {
  /** The model's own limits. */
  public static final TokenLimits NONE = new TokenLimits(0, 0);

  /**
   * @throws IllegalArgumentException if a limit is negative or {@code min} is above {@code max}
   */
  public TokenLimits {
    if (min < 0 || max < 0 || (max > 0 && min > max)) {
      throw new IllegalArgumentException(
          "image tokens: expected 0 <= min <= max, found min %d and max %d".formatted(min, max));
    }
  }
}
