package dev.ocellus.vlm.model;

import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.Normalize;
import dev.ocellus.vlm.image.ResizeFilter;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.Video;
import dev.ocellus.vlm.model.tiling.FrameChoice;
import dev.ocellus.vlm.model.tiling.FramePixels;
import dev.ocellus.vlm.model.tiling.FrameSampling;
import dev.ocellus.vlm.vision.ConfigReader;
import dev.ocellus.vlm.vision.ImageInput;
import dev.ocellus.vlm.vision.ImageOptions;
import dev.ocellus.vlm.vision.ImagePiece;
import dev.ocellus.vlm.vision.ImagePlaceholder;
import dev.ocellus.vlm.vision.Tiles;
import java.util.ArrayList;
import java.util.List;

/**
 * Videos of Gemma 4: frames that are each an image of few tokens behind its time, {@code 01:05}.
 * The reference is {@code Gemma4VideoProcessor} of transformers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/gemma4/video_processing_gemma4.py">video_processing_gemma4.py</a>.
 *
 * @param pixels of the frames
 * @param choice of frames
 * @param budget tokens of a frame, where nobody chooses
 */
record Gemma4Videos(FramePixels pixels, FrameChoice choice, int budget) {
  private static final int FRAMES = 32;
  private static final int BUDGET = 70;

  /** Where a frame of so many tokens has its size from, which the kinds of Gemma 4 share. */
  interface Sizes {
    ImageSize of(ImageSize frame, int tokens);
  }

  static Gemma4Videos of(GgufMetadata metadata, ResizeFilter filter, Normalize ofImages) {
    ConfigReader video = FramePixels.reader(metadata);
    int n = video.integer("num_frames", 1, 1 << 20, FRAMES);
    return new Gemma4Videos(
        FramePixels.of(metadata, filter, ofImages),
        FrameChoice.of(metadata, v -> FrameSampling.inParts(v, n)),
        video.integer("max_tokens", 1, 1 << 16, BUDGET));
  }

  /** Minutes and seconds of a frame, and what begins an image. */
  private static String begin(Video sampled, int frame) {
    long seconds = (long) sampled.seconds(frame);
    return "%02d:%02d <|image>".formatted(seconds / 60, seconds % 60);
  }

  /**
   * The first frame's time stands in the marker's stead, so that it is read with what is before.
   */
  ImagePlaceholder place(String marker, Video video) {
    return ImagePlaceholder.of(marker)
        .between(begin(choice.of(video), 0), "<image|>")
        .written(marker);
  }

  /**
   * The frames as images side by side.
   *
   * @param patch pixels of the side of what the encoder takes as one patch
   * @param pool of them on a side of a token
   */
  ImageInput prepare(Video video, ImageOptions options, Sizes sizes, int patch, int pool) {
    Video sampled = choice.of(video);
    int tokens = Gemma4.budget(budget, options);
    ImageSize size = sizes.of(sampled.size(), tokens);
    FramePixels.requireRoom(sampled, 3 * size.pixels());
    List<Tiles> tiles = new ArrayList<>();
    List<ImagePiece> layout = new ArrayList<>();
    for (RgbImage frame : sampled.frames()) {
      int i = tiles.size();
      if (i > 0) {
        layout.add(new ImagePiece.Text("<image|> " + begin(sampled, i)));
      }
      Tiles tile = Tiles.alone(pixels.planes(frame, size), size.width(), size.height(), patch);
      tiles.add(tile);
      layout.add(ImagePiece.Embeddings.of(tile.gridX() / pool * (tile.gridY() / pool)));
    }
    return new ImageInput(
        tiles, List.of(tiles.size(), tokens * pool * pool, 3 * patch * patch), 1, 1, layout);
  }
}
