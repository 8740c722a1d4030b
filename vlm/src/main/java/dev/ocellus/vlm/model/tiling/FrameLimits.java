package dev.ocellus.vlm.model.tiling;

import dev.ocellus.vlm.image.ImageFormatException;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.Video;
import dev.ocellus.vlm.vision.ConfigReader;
import dev.ocellus.vlm.vision.ImageOptions;

/**
 * How large frames are encoded where the limits are for all of a video together, as Qwen3-VL's and
 * GLM-4V's video processors have them.
 *
 * @param min pixels of all frames
 * @param max pixels of all frames
 * @param frameTokens most tokens that a frame counts for, in checkpoints with {@code
 *     cap_pixels_per_frame}; 0 in all others
 */
public record FrameLimits(long min, long max, int frameTokens) {
  /**
   * What a file says.
   *
   * @param video the keys about videos
   * @param min pixels where it does not say
   * @param max pixels where it does not say
   */
  public static FrameLimits of(ConfigReader video, int min, int max) {
    int most = video.integer("max_pixels", 1, Integer.MAX_VALUE, max);
    int least = video.integer("min_pixels", 1, Integer.MAX_VALUE, Math.min(min, most));
    return new FrameLimits(least, most, video.integer("frame_tokens", 0, 1 << 20, 0));
  }

  /**
   * The size at which each frame is encoded.
   *
   * @param factor pixels of a token's side
   * @param options whose limits are for all frames together, too
   * @throws ImageFormatException if there is one frame only, or they are too long for their width
   */
  public ImageSize size(Video video, int factor, ImageOptions options) {
    requireFrames(video);
    long perToken = (long) factor * factor;
    int n = video.nFrames();
    long upTo = options.maxTokens() > 0 ? options.maxTokens() * perToken : most(n, perToken);
    long from = options.minTokens() > 0 ? options.minTokens() * perToken : Math.min(upTo, min);
    return SmartResize.GLM.resizeFrames(video.size(), n, factor, from, Math.max(from, upTo));
  }

  private long most(int nFrames, long perToken) {
    if (frameTokens == 0) {
      return max;
    }
    long share = Math.min(frameTokens * perToken, max / nFrames);
    return Math.max(share, (long) (min * 1.05)) * nFrames;
  }

  private static void requireFrames(Video video) {
    int n = video.nFrames();
    if (n < QwenTiling.FRAMES) {
      throw new ImageFormatException(
          ImageFormatException.Kind.UNSUPPORTED,
          "A video has %d frame, and this model needs at least %d. Give it as an image."
              .formatted(n, QwenTiling.FRAMES));
    }
  }
}
