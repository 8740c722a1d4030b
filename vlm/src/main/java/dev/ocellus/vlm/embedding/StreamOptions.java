package dev.ocellus.vlm.embedding;

/**
 * How far a stream of images reads ahead. Neither changes a vector.
 *
 * @param lookAhead images that are read, or waiting for the encoder, at a time, 1 to 4096; bounds
 *     the memory
 * @param decoders threads that read, decode and resize, 1 to 512
 */
public record StreamOptions(int lookAhead, int decoders) {
  private static final int LOOK_AHEAD = 32;

  public StreamOptions {
    if (lookAhead < 1 || lookAhead > 4096) {
      throw new IllegalArgumentException("lookAhead: expected 1 to 4096, found " + lookAhead);
    }
    if (decoders < 1 || decoders > 512) {
      throw new IllegalArgumentException("decoders: expected 1 to 512, found " + decoders);
    }
  }

  /**
   * 32 images ahead, and as many decoders as processors: where decoding is faster than the encoder
   * they wait, and where it is slower it may have the whole machine.
   */
  public static StreamOptions defaults() {
    return new StreamOptions(
        LOOK_AHEAD, Math.clamp(Runtime.getRuntime().availableProcessors(), 1, LOOK_AHEAD));
  }
}
