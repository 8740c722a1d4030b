package dev.ocellus.vlm.model.tiling;

import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.image.Video;

/** Which frames of a video a model looks at. */
@FunctionalInterface
public interface FrameChoice {
  /** Those frames, at the times that they have in the video. */
  Video of(Video video);

  /** As a family's processor chooses, or all where a file says so ({@code do_sample_frames}). */
  static FrameChoice of(GgufMetadata metadata, FrameChoice ofFamily) {
    return metadata.bool(FramePixels.PREFIX + "sample_frames", true) ? ofFamily : video -> video;
  }
}
