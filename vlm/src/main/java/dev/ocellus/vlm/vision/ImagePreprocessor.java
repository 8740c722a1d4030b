package dev.ocellus.vlm.vision;

import dev.ocellus.vlm.image.ImageFit;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.Normalize;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.Video;
import org.jspecify.annotations.Nullable;

/** How the images and videos of a family become the tiles that its encoder takes. */
public interface ImagePreprocessor {
  /**
   * Resizes, crops, tiles and normalizes an image as the reference's processor does.
   *
   * @param options of which a family looks at those that it has a choice in
   * @throws dev.ocellus.vlm.image.ImageFormatException if the image breaks a rule of the family
   */
  ImageInput prepare(RgbImage image, ImageOptions options);

  /** Whether {@link #prepare(Video, ImageOptions)} can be called. */
  default boolean takesVideos() {
    return false;
  }

  /**
   * Takes frames from a video and prepares them as the reference's video processor does, for
   * families that {@linkplain #takesVideos() take videos}.
   *
   * @throws UnsupportedOperationException if this one does not
   * @throws dev.ocellus.vlm.image.ImageFormatException if the video breaks a rule of the family
   */
  default ImageInput prepare(Video video, ImageOptions options) {
    throw new UnsupportedOperationException("no videos");
  }

  /**
   * What {@link #prepare(RgbImage, ImageOptions)} did with an image, for people who ask what the
   * model saw. Families that crop or pad say so.
   *
   * @param size of the image
   * @param input what became of it
   * @param options as it was prepared
   */
  default ImageFit fit(ImageSize size, ImageInput input, ImageOptions options) {
    return input.nTiles() > 1
        ? new ImageFit(ImageFit.Kind.TILED, 0, 0)
        : ImageFit.resized(size, input.tiles().getFirst().size());
  }

  /** How pixels are normalized, by which tiles can be shown; null where that cannot be undone. */
  default @Nullable Normalize normalize() {
    return null;
  }

  /** Whether {@link ImageOptions#maxTokens()} makes images smaller. */
  default boolean hasTokenLimits() {
    return false;
  }

  /**
   * Rows of embeddings that the largest image becomes, for families whose text model must compute
   * them at once, as they attend to each other; 0 for all others.
   */
  default int longestRows(ImageOptions options) {
    return 0;
  }

  /** Whether {@link ImageOptions#panAndScan()} can be chosen. */
  default boolean hasPanAndScan() {
    return false;
  }
}
