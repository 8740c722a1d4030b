package dev.ocellus.vlm.options;

/**
 * How the sessions of a model work.
 *
 * @param imageCache how much of encoded images is remembered
 * @param parallel sequences that are decoded together. With 1 every session has a context of its
 *     own and computes by itself. With more, all sessions share one context of that many sequences,
 *     each as long as the context options say, and the tokens of those that answer at the same time
 *     go through the model in one batch
 * @param speculation whether tokens are guessed
 */
public record SessionOptions(ImageCacheOptions imageCache, int parallel, Speculation speculation) {
  private static final int MOST = 256;

  public SessionOptions {
    if (parallel < 1 || parallel > MOST) {
      throw new IllegalArgumentException(
          "parallel sequences: expected 1 to %d, found %d".formatted(MOST, parallel));
    }
  }

  /** A context for each session, images remembered in memory, nothing guessed. */
  public static SessionOptions defaults() {
    return new SessionOptions(ImageCacheOptions.defaults(), 1, Speculation.OFF);
  }

  public SessionOptions withImageCache(ImageCacheOptions imageCache) {
    return new SessionOptions(imageCache, parallel, speculation);
  }

  public SessionOptions withParallel(int parallel) {
    return new SessionOptions(imageCache, parallel, speculation);
  }

  public SessionOptions withSpeculation(Speculation speculation) {
    return new SessionOptions(imageCache, parallel, speculation);
  }
}
