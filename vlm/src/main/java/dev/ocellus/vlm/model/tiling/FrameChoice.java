package dev.ocellus.vlm.model.tiling;

import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.image.Video;
import dev.ocellus.vlm.vision.ConfigReader;

/** Which frames of a video a model looks at. */
@FunctionalInterface
public interface FrameChoice {
  /** Those frames, at the times that they have in the video. */
  Video of(Video video);

  /** As a family's processor chooses, or all where a file says so ({@code do_sample_frames}). */
  static FrameChoice of(GgufMetadata metadata, FrameChoice ofFamily) {
    return metadata.bool(FramePixels.PREFIX + "sample_frames", true) ? ofFamily : video -> video;
  }

  /** All, unless a file says how many of them, or how many a second, its family shall choose. */
  static FrameChoice onRequest(GgufMetadata metadata, Ways ofFamily) {
    ConfigReader video = FramePixels.reader(metadata);
    int n = video.integer("num_frames", 0, 1 << 20, 0);
    double fps = video.rate("fps", 0);
    if (!metadata.bool(FramePixels.PREFIX + "sample_frames", false) || (n == 0 && fps == 0)) {
      return v -> v;
    }
    return n > 0 ? v -> ofFamily.number(v, n) : v -> ofFamily.rate(v, fps);
  }

  /** The two ways in which most processors of transformers choose frames. */
  interface Ways {
    /** So many. */
    Video number(Video video, int n);

    /** So many a second. */
    default Video rate(Video video, double fps) {
      return number(video, FrameSampling.count(video, fps));
    }
  }
}
