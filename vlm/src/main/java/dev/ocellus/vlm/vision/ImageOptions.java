package dev.ocellus.vlm.vision;

/**
 * What may be chosen about how images are prepared, where a model leaves a choice.
 *
 * @param minTokens min tokens of an image, for {@linkplain ImagePreprocessor#hasTokenLimits()
 *     families} that resize images to a number of tokens of their choice, which the others do not
 *     look at; 0 for the model's own limit
 * @param maxTokens max tokens of an image, likewise; 0 for the model's own limit
 * @param panAndScan whether long images are followed by crops of them, each an image of its own,
 *     for {@linkplain ImagePreprocessor#hasPanAndScan() families that know it}
 */
public record ImageOptions(int minTokens, int maxTokens, boolean panAndScan) {
  /** The model's own limits, without pan and scan. */
  public static final ImageOptions DEFAULT = ofTokens(0, 0);

  /**
   * @throws IllegalArgumentException if a limit is negative or {@code minTokens} is above {@code
   *     maxTokens}
   */
  public ImageOptions {
    if (minTokens < 0 || maxTokens < 0 || (maxTokens > 0 && minTokens > maxTokens)) {
      throw new IllegalArgumentException(
          "image tokens: expected 0 <= min <= max, found min %d and max %d"
              .formatted(minTokens, maxTokens));
    }
  }

  /** Limits for the number of tokens of an image. */
  public static ImageOptions ofTokens(int min, int max) {
    return new ImageOptions(min, max, false);
  }

  public ImageOptions withPanAndScan(boolean panAndScan) {
    return new ImageOptions(minTokens, maxTokens, panAndScan);
  }
}
