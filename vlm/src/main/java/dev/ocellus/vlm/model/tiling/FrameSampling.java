package dev.ocellus.vlm.model.tiling;

import dev.ocellus.vlm.image.Video;
import java.util.Arrays;

/** Which frames of a video families look at, as their video processors choose them. */
public final class FrameSampling {
  private FrameSampling() {}

  /**
   * So many frames a second, evenly from the first to the last one ({@code
   * Qwen3VLVideoProcessor.sample_frames}).
   *
   * @param min frames at least, if there are as many
   * @param max frames at most
   */
  public static Video atRate(Video video, double fps, int min, int max) {
    int n = (int) (video.duration() * fps);
    return video.evenly(Math.max(1, Math.min(Math.max(n, min), max)));
  }

  /**
   * So many frames a second, but of a long video nothing of the first and the last second ({@code
   * SmolVLMVideoProcessor.sample_frames}).
   */
  public static Video withinMargins(Video video, double fps, int max) {
    int total = video.nFrames();
    int wanted = Math.max(1, (int) Math.min(Math.rint(fps * video.duration()), max));
    int start = 0;
    int end = total - 1;
    if (video.duration() - 2 > max * fps) {
      start = (int) video.fps();
      end = Math.min((int) (total - video.fps()), total - 1);
      if (start >= end) {
        start = 0;
        end = total - 1;
      }
    }
    double step = wanted > 1 ? (double) (end - start) / (wanted - 1) : 0;
    int[] indices = new int[wanted];
    for (int i = 0; i < wanted; i++) {
      indices[i] = wanted > 1 && i == wanted - 1 ? end : (int) Math.floor(i * step + start);
    }
    return video.select(Arrays.stream(indices).distinct().toArray());
  }
}
