package dev.ocellus.vlm.model;

import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.Video;
import dev.ocellus.vlm.model.tiling.FrameChoice;
import dev.ocellus.vlm.model.tiling.FramePixels;
import dev.ocellus.vlm.model.tiling.FrameSampling;
import dev.ocellus.vlm.vision.ConfigReader;
import dev.ocellus.vlm.vision.ImageInput;
import dev.ocellus.vlm.vision.ImageOptions;
import dev.ocellus.vlm.vision.ImagePlaceholder;
import dev.ocellus.vlm.vision.Tiles;
import java.util.ArrayList;
import java.util.List;

/**
 * Videos of Kimi K2.5: two frames of a second, of which groups become one grid of tokens behind the
 * time of the first. The reference is {@code Kimi_K25VideoProcessor} of transformers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/kimi_k25/video_processing_kimi_k25.py">video_processing_kimi_k25.py</a>.
 *
 * @param fit of a frame
 * @param choice of frames
 * @param group frames of a group
 */
record KimiVideos(KimiK25.Fit fit, FrameChoice choice, int group) {
  static final String MARKER = "<|kimi_k25_video_placeholder|>";

  /** Patches of a frame; an image may have four times as many. */
  private static final int MAX_PATCHES = 4096;

  private static final double FPS = 2;
  private static final int GROUP = 4;

  static KimiVideos of(GgufMetadata metadata, KimiK25.Fit images) {
    ConfigReader video = FramePixels.reader(metadata);
    double fps = video.rate("fps", FPS);
    KimiPatches patches = images.patches();
    FramePixels pixels = FramePixels.of(metadata, images.filter(), patches.normalize());
    return new KimiVideos(
        new KimiK25.Fit(
            new KimiPatches(patches.patchSize(), patches.merge(), pixels.normalize()),
            video.integer("max_patches", 1, 1 << 20, MAX_PATCHES),
            video.integer("max_side_patches", 1, 1 << 12, images.maxSide()),
            video.torchFilter(images.filter())),
        FrameChoice.of(metadata, v -> FrameSampling.inPartsAtRate(v, fps)),
        video.integer("temporal_patch_size", 1, 64, GROUP));
  }

  /** Time of the day at which a frame is shown that began at midnight, and what begins a group. */
  private static String begin(Video sampled, int frame) {
    double time = sampled.seconds(frame);
    long seconds = (long) time;
    return "%02d:%02d:%02d.%03d<|media_begin|>video<|media_content|>"
        .formatted(seconds / 3600 % 24, seconds / 60 % 60, seconds % 60, (int) (time % 1 * 1000));
  }

  /** The first time stands in the marker's stead, so that it is read with what is before. */
  ImagePlaceholder place(Video video) {
    return ImagePlaceholder.of(MARKER)
        .between(begin(choice.of(video), 0), "<|media_end|>")
        .written(MARKER);
  }

  ImageInput prepare(Video video, ImageOptions options) {
    Video sampled = choice.of(video);
    ImageSize size = fit.size(sampled.size(), options);
    KimiPatches patches = fit.patches();
    FramePixels.requireRoom(sampled, 3 * patches.padded(size).pixels());
    int perFrame = Math.toIntExact(3 * patches.padded(size).pixels());
    List<Tiles> tiles = new ArrayList<>();
    List<String> between = new ArrayList<>();
    for (int first = 0; first < sampled.nFrames(); first += group) {
      int n = Math.min(group, sampled.nFrames() - first);
      float[] values = new float[n * perFrame];
      for (int i = 0; i < n; i++) {
        RgbImage frame = sampled.frames().get(first + i);
        patches.write(fit.resized(frame, size), values, i * perFrame);
      }
      if (first > 0) {
        between.add("<|media_end|>" + begin(sampled, first));
      }
      tiles.add(patches.tile(values, size, n));
    }
    return patches.input(tiles, between);
  }
}
