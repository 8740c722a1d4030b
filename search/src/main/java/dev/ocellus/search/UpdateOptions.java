package dev.ocellus.search;

import dev.ocellus.vlm.embedding.StreamOptions;
import dev.ocellus.vlm.image.ImageLimits;
import java.time.Duration;

/**
 * How an index is brought up to date.
 *
 * @param rebuild whether to make it anew, whatever is in its place: it was made with another model,
 *     or is damaged
 * @param limits of images; what exceeds them is reported and left out
 * @param reading how far images are read ahead
 * @param commitEvery what is done is kept at least so often, so that an update that is interrupted
 *     goes on from there
 */
public record UpdateOptions(
    boolean rebuild, ImageLimits limits, StreamOptions reading, Duration commitEvery) {
  /** Goes on with what is there, and keeps what is done once a minute. */
  public static UpdateOptions defaults() {
    return new UpdateOptions(
        false, ImageLimits.DEFAULT, StreamOptions.defaults(), Duration.ofMinutes(1));
  }

  /** The same, but everything is done anew. */
  public UpdateOptions withRebuild() {
    return new UpdateOptions(true, limits, reading, commitEvery);
  }

  /** The same with other times of keeping what is done. */
  public UpdateOptions withCommitEvery(Duration time) {
    return new UpdateOptions(rebuild, limits, reading, time);
  }
}
