package dev.ocellus.vlm.model.tiling;

import dev.ocellus.Setting;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.image.ImageFormatException;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.Normalize;
import dev.ocellus.vlm.image.Resize;
import dev.ocellus.vlm.image.ResizeFilter;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.Video;
import dev.ocellus.vlm.vision.ConfigReader;
import dev.ocellus.vlm.vision.UnsupportedContentException;

/**
 * How frames of a video become numbers. The video processors of transformers are made for
 * torchvision, also those of families whose images are resized by Pillow: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/video_processing_utils.py">video_processing_utils.py</a>.
 *
 * @param filter that frames are resized with
 * @param normalize how they are normalized
 */
public record FramePixels(ResizeFilter filter, Normalize normalize) {
  /** Where a file tells how videos are prepared (docs/gguf.md). */
  public static final String PREFIX = "clip.vision.video.";

  /** Most pixel values of a video, 2 GiB. */
  private static final long MAX_VALUES = 1 << 29;

  /**
   * What a file says of frames, and of images where it says nothing of frames.
   *
   * @throws dev.ocellus.vlm.vision.InvalidConfigException if nothing can be resized or normalized
   *     so
   */
  public static FramePixels of(
      GgufMetadata metadata, ResizeFilter filterOfImages, Normalize ofImages) {
    ConfigReader c = reader(metadata);
    Normalize own = c.normalize(ofImages);
    boolean normalizes = metadata.bool(PREFIX + "do_normalize", true);
    return new FramePixels(
        c.filter(filterOfImages), normalizes ? own.fused() : Normalize.NONE.inSingle());
  }

  /** The keys about videos. */
  public static ConfigReader reader(GgufMetadata metadata) {
    return new ConfigReader(metadata, PREFIX);
  }

  /** A frame in another size, with the bytes of torchvision. */
  public RgbImage resized(RgbImage frame, ImageSize size) {
    if (frame.size().equals(size)) {
      return frame;
    }
    return switch (filter) {
      case BILINEAR, BICUBIC, LANCZOS -> Resize.resizeAsTorch(frame, size, filter);
      default ->
          throw new UnsupportedContentException(
              "This model resizes images with the filter %d of Pillow, by which no frames of videos can be resized. Give some frames as images instead."
                  .formatted(filter.pillowCode()));
    };
  }

  /** A frame in another size, normalized: [3, height, width]. */
  public float[] planes(RgbImage frame, ImageSize size) {
    return normalize.apply(resized(frame, size));
  }

  /**
   * Refuses videos that have no room in an array.
   *
   * @param valuesPerFrame numbers that each frame becomes
   * @throws ImageFormatException if all together are too many
   */
  public static void requireRoom(Video video, long valuesPerFrame) {
    if (valuesPerFrame * (video.nFrames() + 1) > MAX_VALUES) {
      throw new ImageFormatException(
              ImageFormatException.Kind.TOO_LARGE,
              "A video of %d frames of %s would become %d pixel values for each, and a video may have %d. Take fewer or smaller frames, or lower the max tokens of an image."
                  .formatted(video.nFrames(), video.size(), valuesPerFrame, MAX_VALUES))
          .about(Setting.IMAGE_MAX_TOKENS);
    }
  }
}
