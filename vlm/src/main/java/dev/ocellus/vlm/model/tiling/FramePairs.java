package dev.ocellus.vlm.model.tiling;

import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.Video;
import dev.ocellus.vlm.vision.ImageInput;
import dev.ocellus.vlm.vision.ImagePiece;
import dev.ocellus.vlm.vision.Tiles;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/**
 * Videos of the Qwen-VL generations from 2 on, and of families made after them: frames of one size
 * in pairs, of which each becomes a grid of tokens.
 *
 * @param tiling of the family's images
 * @param pixels of the frames
 */
public record FramePairs(QwenTiling tiling, FramePixels pixels) {
  /** Those that a file describes. */
  public static FramePairs of(GgufMetadata metadata, QwenTiling tiling) {
    return new FramePairs(tiling, FramePixels.of(metadata, tiling.filter(), tiling.normalize()));
  }

  /**
   * The pairs of all frames. If they are odd in number the last one is taken twice.
   *
   * @param size of a frame when it is encoded
   */
  public ImageInput prepare(Video video, ImageSize size, List<ImagePiece> layout) {
    int nHeld = QwenTiling.FRAMES;
    int gridX = size.width() / tiling.patchSize();
    int gridY = size.height() / tiling.patchSize();
    int nPairs = Math.ceilDiv(video.nFrames(), nHeld);
    long nPatches = (long) gridX * gridY;
    int frameLength = Math.toIntExact(3 * size.pixels());
    FramePixels.requireRoom(video, frameLength);
    float[] values = new float[frameLength * nHeld * nPairs];
    IntStream.range(0, nHeld * nPairs)
        .parallel()
        .forEach(i -> {
          RgbImage frame = video.frames().get(Math.min(i, video.nFrames() - 1));
          float[] patches = tiling.patches(pixels.planes(frame, size), gridX, gridY);
          System.arraycopy(patches, 0, values, i * frameLength, frameLength);
        });
    long rowLength = 3L * tiling.patchSize() * tiling.patchSize();
    return new ImageInput(
        List.of(
            new Tiles(
                values,
                List.of(rowLength, nPatches, (long) nHeld, (long) nPairs),
                gridX,
                gridY,
                tiling.square())),
        List.of((int) nPatches * nPairs, (int) (nHeld * rowLength)),
        1,
        1,
        layout,
        nHeld,
        null);
  }

  /** Tokens of pairs of frames on their grids. */
  public ImagePiece rows(ImageSize size, List<Integer> times) {
    int token = tiling.patchSize() * tiling.mergeSize();
    return ImagePiece.Embeddings.grids(size.width() / token, size.height() / token, times);
  }

  /**
   * Tokens of each pair between texts of its own, in which its time is said.
   *
   * @param before text in front of the pair that begins with a frame
   * @param after text behind it
   */
  public List<ImagePiece> between(
      Video video, ImageSize size, IntFunction<String> before, IntFunction<String> after) {
    List<ImagePiece> layout = new ArrayList<>();
    String pending = "";
    for (int i = 0; i < video.nFrames(); i += QwenTiling.FRAMES) {
      layout.add(new ImagePiece.Text(pending + before.apply(i)));
      layout.add(rows(size, List.of(0)));
      pending = after.apply(i);
    }
    layout.add(new ImagePiece.Text(pending));
    return layout;
  }
}
