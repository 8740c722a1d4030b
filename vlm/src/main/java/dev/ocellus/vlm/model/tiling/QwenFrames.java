package dev.ocellus.vlm.model.tiling;

import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.Video;
import dev.ocellus.vlm.vision.ConfigReader;
import dev.ocellus.vlm.vision.ImageOptions;

/**
 * Videos of Qwen2-VL and Qwen2.5-VL: all frames, unless a file asks for a choice, each as large as
 * an image may be, unless it asks for a limit of all together ({@code Qwen2VLVideoProcessor}).
 *
 * @param pairs of frames, with limits for each
 * @param choice of frames
 * @param videoTokens most tokens of a context, of which a video may take nine tenths ({@code
 *     cap_pixels_per_frame}); 0 for no limit
 */
public record QwenFrames(FramePairs pairs, FrameChoice choice, int videoTokens) {
  private static final int MIN_FRAMES = 4;
  private static final int MAX_FRAMES = 768;

  /** Those that a file describes. */
  public static QwenFrames of(GgufMetadata metadata, QwenTiling images) {
    ConfigReader video = FramePixels.reader(metadata);
    int max = video.integer("max_frames", 1, 1 << 20, MAX_FRAMES);
    int min = video.integer("min_frames", 1, 1 << 20, MIN_FRAMES);
    FrameChoice choice =
        FrameChoice.onRequest(
            metadata,
            new FrameChoice.Ways() {
              @Override
              public Video number(Video v, int n) {
                return FrameSampling.inPairs(v, n);
              }

              @Override
              public Video rate(Video v, double fps) {
                return FrameSampling.inPairsAtRate(v, fps, min, max);
              }
            });
    return new QwenFrames(
        FramePairs.of(metadata, images.ofFrames(video)),
        choice,
        video.integer("video_tokens", 0, 1 << 26, 0));
  }

  /** The size at which each of the chosen frames is encoded. */
  public ImageSize size(Video chosen, ImageOptions options) {
    QwenTiling tiling = pairs.tiling();
    if (videoTokens > 0) {
      int factor = tiling.patchSize() * tiling.mergeSize();
      long pixels = (long) ((long) videoTokens * factor * factor * 0.9);
      long share = pixels * QwenTiling.FRAMES / chosen.nFrames();
      long least = (long) (tiling.minPixels() * 1.05);
      long max = Math.max(Math.min(tiling.maxPixels(), share), least);
      tiling = tiling.withLimits(tiling.minPixels(), max);
    }
    return tiling.size(chosen.size(), options);
  }

  /** Frames a second of what was chosen of a video, counted as {@code sampled_fps} is. */
  public static double rate(Video chosen, Video whole) {
    return chosen.nFrames() == whole.nFrames()
        ? whole.fps()
        : (double) chosen.nFrames() / whole.nFrames() * FrameSampling.rate(whole);
  }
}
