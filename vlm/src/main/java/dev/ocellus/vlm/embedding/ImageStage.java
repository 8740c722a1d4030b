package dev.ocellus.vlm.embedding;

import dev.ocellus.vlm.image.RgbImage;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What becomes of the images of an {@link EmbeddingStream} behind their decoding.
 *
 * @param <P> an image as it waits for the encoder
 */
interface ImageStage<P> {
  /**
   * A vector, or why there is none.
   *
   * @param vector null where there is a failure
   */
  record Encoded(float @Nullable [] vector, @Nullable Exception failure) {}

  /** How images are read ahead, as the memory of what waits allows it. */
  StreamOptions reading(StreamOptions wanted);

  /**
   * What can be done by several threads at once.
   *
   * @throws dev.ocellus.OcellusException if the image has no vector
   */
  P prepare(RgbImage image);

  /** Images that are encoded together at most. */
  int maxBatch();

  /** The vectors in the order of the images, on the thread that takes them. */
  List<Encoded> encode(List<P> images);

  /** Ends what is being encoded; for any thread. */
  void stop();
}
