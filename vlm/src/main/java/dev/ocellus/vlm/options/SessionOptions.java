package dev.ocellus.vlm.options;

/**
 * How the sessions of a model work.
 *
 * @param imageCache how much of encoded images is remembered
 * @param prefixCache whether keys and values of prompts are kept on disk; only with {@code
 *     parallel} 1
 * @param parallel sequences that are decoded together. With 1 every session has a context of its
 *     own and computes by itself. With more, all sessions share one context of that many sequences,
 *     each as long as the context options say, and the tokens of those that answer at the same time
 *     go through the model in one batch
 * @param speculation whether draft tokens are used
 * @param overflow what to do when a conversation does not fit the context any more
 */
public record SessionOptions(
    ImageCacheOptions imageCache,
    PrefixCacheOptions prefixCache,
    int parallel,
    Speculation speculation,
    OverflowPolicy overflow) {
  private static final int MAX_PARALLEL = 256;

  public SessionOptions {
    if (parallel < 1 || parallel > MAX_PARALLEL) {
      throw new IllegalArgumentException(
          "parallel sequences: expected 1 to %d, found %d".formatted(MAX_PARALLEL, parallel));
    }
  }

  /**
   * A context for each session, images remembered in memory, no draft tokens, and conversations
   * that do not fit refused.
   */
  public static SessionOptions defaults() {
    return new SessionOptions(
        ImageCacheOptions.defaults(),
        PrefixCacheOptions.OFF,
        1,
        Speculation.OFF,
        OverflowPolicy.ERROR);
  }

  public SessionOptions withImageCache(ImageCacheOptions imageCache) {
    return new SessionOptions(imageCache, prefixCache, parallel, speculation, overflow);
  }

  public SessionOptions withPrefixCache(PrefixCacheOptions prefixCache) {
    return new SessionOptions(imageCache, prefixCache, parallel, speculation, overflow);
  }

  public SessionOptions withParallel(int parallel) {
    return new SessionOptions(imageCache, prefixCache, parallel, speculation, overflow);
  }

  public SessionOptions withSpeculation(Speculation speculation) {
    return new SessionOptions(imageCache, prefixCache, parallel, speculation, overflow);
  }

  public SessionOptions withOverflow(OverflowPolicy overflow) {
    return new SessionOptions(imageCache, prefixCache, parallel, speculation, overflow);
  }
}
