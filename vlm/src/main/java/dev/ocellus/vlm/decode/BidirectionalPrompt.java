package dev.ocellus.vlm.decode;

import dev.ocellus.llama.TokenEmbeddings;
import dev.ocellus.vlm.vision.EncodedImage;
import dev.ocellus.vlm.vision.ImagePiece;
import java.util.List;

/**
 * Makes one entry of a whole prompt, for models with a bidirectional prefix: its tokens become
 * embeddings, which stand between those of the images and are decoded with them as those of one
 * image are.
 */
public final class BidirectionalPrompt {
  private final TokenEmbeddings table;

  public BidirectionalPrompt(TokenEmbeddings table) {
    this.table = table;
  }

  /** The same as one entry, which is not the same as any that differs in a token or an image. */
  public List<ContextEntry> join(List<ContextEntry> entries) {
    int width = table.width();
    int n = ContextEntry.placesOf(entries);
    float[] rows = new float[Math.multiplyExact(n, width)];
    StringBuilder key = new StringBuilder("prompt");
    int at = 0;
    for (ContextEntry entry : entries) {
      switch (entry) {
        case ContextEntry.Token(int id) -> {
          table.row(id, rows, at * width);
          key.append(' ').append(id);
        }
        case ContextEntry.Image image -> {
          System.arraycopy(
              image.image().values(), image.from() * width, rows, at * width, image.size() * width);
          key.append(' ').append(image.key()).append(':').append(image.from());
        }
      }
      at += entry.size();
    }
    ImagePiece.Embeddings layout = ImagePiece.Embeddings.of(n);
    var whole = new EncodedImage(rows, n, width, List.of(layout));
    return List.of(new ContextEntry.Image(key.toString(), whole, 0, layout));
  }
}
