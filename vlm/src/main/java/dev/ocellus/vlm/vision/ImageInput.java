package dev.ocellus.vlm.vision;

import dev.ocellus.vlm.image.ImageSize;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An image as an encoder takes it.
 *
 * @param tiles what goes through the encoder, in order
 * @param pixelShape sizes of the pixel array that the reference's processor makes, outermost first;
 *     its values are those of the tiles one after the other. Three sizes are tiles, patches of a
 *     tile and numbers of a patch, pixel by pixel; patches that a tile has not are zero. Four sizes
 *     of which the third is a patch's side: the patches of all tiles side by side
 * @param gridX tiles across
 * @param gridY tiles down
 * @param layout what stands at the image's place in the prompt
 * @param nFrames how often the reference's array has each channel of a patch, in a row: more than
 *     once where it takes an image as frames of a video. Tiles of an image have it once; those of a
 *     video have as many planes [row length, patches, nFrames, tiles]
 * @param originalSize size before preprocessing, for families that arrange the embeddings by it
 * @param instruction ids of the instruction that the encoder reads with the image; none for those
 *     that read none
 */
public record ImageInput(
    List<Tiles> tiles,
    List<Integer> pixelShape,
    int gridX,
    int gridY,
    List<ImagePiece> layout,
    int nFrames,
    @Nullable ImageSize originalSize,
    List<Integer> instruction) {
  public ImageInput {
    tiles = List.copyOf(tiles);
    pixelShape = List.copyOf(pixelShape);
    layout = List.copyOf(layout);
    instruction = List.copyOf(instruction);
  }

  /** An image that is read without an instruction. */
  public ImageInput(
      List<Tiles> tiles,
      List<Integer> pixelShape,
      int gridX,
      int gridY,
      List<ImagePiece> layout,
      int nFrames,
      @Nullable ImageSize originalSize) {
    this(tiles, pixelShape, gridX, gridY, layout, nFrames, originalSize, List.of());
  }

  /** A still image whose embeddings stay in the order of the tiles. */
  public ImageInput(
      List<Tiles> tiles, List<Integer> pixelShape, int gridX, int gridY, List<ImagePiece> layout) {
    this(tiles, pixelShape, gridX, gridY, layout, 1, null);
  }

  /** The same image with the ids of an instruction. */
  public ImageInput withInstruction(List<Integer> ids) {
    return new ImageInput(tiles, pixelShape, gridX, gridY, layout, nFrames, originalSize, ids);
  }

  /** How many tiles. */
  public int nTiles() {
    return tiles.stream().mapToInt(Tiles::n).sum();
  }

  /** Image embeddings that the text model will see. */
  public int nTokens() {
    return layout.stream()
        .mapToInt(piece -> piece instanceof ImagePiece.Embeddings rows ? rows.count() : 0)
        .sum();
  }

  /** The values of all tiles, in the order of {@link #pixelShape}. */
  public float[] pixels() {
    if (nFrames > 1) {
      return framePixels();
    }
    if (pixelShape.size() == 3) {
      return patchRows();
    }
    if (inBands()) {
      return bands();
    }
    if (tiles.size() == 1) {
      return tiles.getFirst().pixels();
    }
    float[] all = new float[tiles.stream().mapToInt(t -> t.pixels().length).sum()];
    int at = 0;
    for (Tiles t : tiles) {
      System.arraycopy(t.pixels(), 0, all, at, t.pixels().length);
      at += t.pixels().length;
    }
    return all;
  }

  /** Whether all patches of all tiles stand side by side. */
  private boolean inBands() {
    return pixelShape.size() == 4
        && pixelShape.get(0) == 1
        && pixelShape.get(2) < tiles.getFirst().size().height()
        && pixelShape.get(2) == tiles.getFirst().size().height() / tiles.getFirst().gridY();
  }

  private float[] bands() {
    int width = pixelShape.get(3);
    float[] all = new float[Math.multiplyExact(3 * pixelShape.get(2), width)];
    int at = 0;
    for (Tiles t : tiles) {
      for (int i = 0; i < t.n(); i++) {
        at += t.bands(i, all, at, width);
      }
    }
    return all;
  }

  private float[] patchRows() {
    int length = pixelShape.get(1) * pixelShape.get(2);
    float[] all = new float[Math.multiplyExact(pixelShape.get(0), length)];
    int at = 0;
    for (Tiles t : tiles) {
      for (int i = 0; i < t.n(); i++, at += length) {
        t.patchRows(i, all, at);
      }
    }
    return all;
  }

  private float[] framePixels() {
    float[] all = new float[pixelShape.stream().reduce(1, Math::multiplyExact)];
    int at = 0;
    for (Tiles t : tiles) {
      int row = Math.toIntExact(t.shape().get(0));
      int nRows = Math.toIntExact(t.shape().get(1));
      int nHeld = Math.toIntExact(t.shape().get(2));
      for (int i = 0; i < t.n() * nRows; i++) {
        for (int channel = 0; channel < 3; channel++) {
          for (int frame = 0; frame < nFrames; frame++, at += row / 3) {
            int plane = i / nRows * nHeld + frame % nHeld;
            int from = (plane * nRows + i % nRows) * row + channel * row / 3;
            System.arraycopy(t.pixels(), from, all, at, row / 3);
          }
        }
      }
    }
    return all;
  }
}
