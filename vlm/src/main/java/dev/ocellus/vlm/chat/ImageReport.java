package dev.ocellus.vlm.chat;

import dev.ocellus.vlm.image.ImageFit;
import dev.ocellus.vlm.image.ImageSize;
import java.util.List;

/**
 * What a model sees of an image.
 *
 * @param size of the image as it was given
 * @param tiles sizes in pixels of what goes through the encoder, in order
 * @param gridX tiles across, without one of the whole
 * @param gridY tiles down
 * @param tokens image embeddings in the prompt
 * @param fit what was done with the image for that
 */
public record ImageReport(
    ImageSize size, List<ImageSize> tiles, int gridX, int gridY, int tokens, ImageFit fit) {
  public ImageReport {
    tiles = List.copyOf(tiles);
  }
}
