package dev.ocellus.vlm.model;

import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.Video;
import dev.ocellus.vlm.model.tiling.FrameChoice;
import dev.ocellus.vlm.model.tiling.FrameLimits;
import dev.ocellus.vlm.model.tiling.FramePairs;
import dev.ocellus.vlm.model.tiling.FramePixels;
import dev.ocellus.vlm.model.tiling.FrameSampling;
import dev.ocellus.vlm.model.tiling.QwenTiling;
import dev.ocellus.vlm.vision.ConfigReader;
import dev.ocellus.vlm.vision.ImageInput;
import dev.ocellus.vlm.vision.ImageOptions;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.regex.Pattern;

/**
 * Videos of GLM-4V: pairs of frames, each an image in the prompt, with its time behind it. Which
 * frames are taken, and how a time is written, depends on the generation: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/glm4v/video_processing_glm4v.py">video_processing_glm4v.py</a>,
 * <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/glm46v/video_processing_glm46v.py">video_processing_glm46v.py</a>.
 *
 * @param tiling of images
 * @param frames of videos
 * @param limits of all frames of a video
 * @param choice of frames
 * @param later whether it is GLM-4.6V's processor, which GLM-OCR has, too
 */
record GlmVideos(
    QwenTiling tiling, FramePairs frames, FrameLimits limits, FrameChoice choice, boolean later)
    implements QwenTiling.WithVideos {
  /** Pixels of all frames in the published processors, as in their classes. */
  private static final int MIN_PIXELS = 112 * 112;

  private static final int MAX_PIXELS = 28 * 28 * 2 * 30_000;
  private static final double FPS = 2;
  private static final int MAX_SECONDS = 300;

  /** What converted files are called that say nothing of their processor. */
  private static final Pattern LATER = Pattern.compile("(?i)4[.]?6v|glm[-_ ]?ocr");

  static GlmVideos of(GgufMetadata metadata, QwenTiling tiling) {
    ConfigReader video = FramePixels.reader(metadata);
    String usual = LATER.matcher(metadata.string("general.name", "")).find() ? "glm46v" : "glm4v";
    String processor = metadata.string(FramePixels.PREFIX + "processor", usual);
    if (!processor.equals("glm4v") && !processor.equals("glm46v")) {
      throw video.invalid("processor", "glm4v or glm46v", "'" + processor + "'");
    }
    boolean later = processor.equals("glm46v");
    double fps = video.rate("fps", FPS);
    int maxSeconds = video.integer("max_duration", 1, 100_000, MAX_SECONDS);
    FrameChoice choice =
        later ? FrameSampling::byLength : v -> FrameSampling.atInterval(v, fps, maxSeconds);
    return new GlmVideos(
        tiling,
        FramePairs.of(metadata, tiling),
        FrameLimits.of(video, MIN_PIXELS, MAX_PIXELS),
        FrameChoice.of(metadata, choice),
        later);
  }

  @Override
  public ImageInput prepare(Video video, ImageOptions options) {
    Video sampled = choice.of(video);
    ImageSize size = limits.size(sampled, tiling.patchSize() * tiling.mergeSize(), options);
    return frames.prepare(
        sampled,
        size,
        frames.between(
            sampled,
            size,
            i -> "<|begin_of_image|>",
            i -> "<|end_of_image|>" + time(sampled.seconds(i))));
  }

  /** Whole seconds, or tenths as Python rounds the number that is stored. */
  private String time(double seconds) {
    return later
        ? new BigDecimal(seconds).setScale(1, RoundingMode.HALF_EVEN) + " seconds"
        : Integer.toString((int) seconds);
  }
}
