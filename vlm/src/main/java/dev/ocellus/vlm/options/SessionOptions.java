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
 * @param checkpointBytes most memory of a sequence's checkpoints, from which a changed conversation
 *     is computed again where the model has recurrent states; other models need none. 0 for none:
 *     then such a conversation is computed from its start
 */
public record SessionOptions(
    ImageCacheOptions imageCache,
    PrefixCacheOptions prefixCache,
    int parallel,
    Speculation speculation,
    OverflowPolicy overflow,
    long checkpointBytes) {
  private static final long DEFAULT_CHECKPOINTS = 512L << 20;
  private static final int MAX_PARALLEL = 256;

  public SessionOptions {
    if (parallel < 1 || parallel > MAX_PARALLEL) {
      throw new IllegalArgumentException(
          "parallel sequences: expected 1 to %d, found %d".formatted(MAX_PARALLEL, parallel));
    }
    if (checkpointBytes < 0) {
      throw new IllegalArgumentException(
          "checkpoints: expected a size of 0 or more bytes, found %d".formatted(checkpointBytes));
    }
  }

  /** With checkpoints of up to 512 MiB a sequence, where the model needs any. */
  public SessionOptions(
      ImageCacheOptions imageCache,
      PrefixCacheOptions prefixCache,
      int parallel,
      Speculation speculation,
      OverflowPolicy overflow) {
    this(imageCache, prefixCache, parallel, speculation, overflow, DEFAULT_CHECKPOINTS);
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
    return new SessionOptions(
        imageCache, prefixCache, parallel, speculation, overflow, checkpointBytes);
  }

  public SessionOptions withPrefixCache(PrefixCacheOptions prefixCache) {
    return new SessionOptions(
        imageCache, prefixCache, parallel, speculation, overflow, checkpointBytes);
  }

  public SessionOptions withParallel(int parallel) {
    return new SessionOptions(
        imageCache, prefixCache, parallel, speculation, overflow, checkpointBytes);
  }

  public SessionOptions withSpeculation(Speculation speculation) {
    return new SessionOptions(
        imageCache, prefixCache, parallel, speculation, overflow, checkpointBytes);
  }

  public SessionOptions withOverflow(OverflowPolicy overflow) {
    return new SessionOptions(
        imageCache, prefixCache, parallel, speculation, overflow, checkpointBytes);
  }

  public SessionOptions withCheckpointBytes(long checkpointBytes) {
    return new SessionOptions(
        imageCache, prefixCache, parallel, speculation, overflow, checkpointBytes);
  }
}
