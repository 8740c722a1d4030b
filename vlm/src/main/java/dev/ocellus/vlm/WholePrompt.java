package dev.ocellus.vlm;

import dev.ocellus.llama.TokenEmbeddings;
import dev.ocellus.vlm.cache.EncodedImage;
import dev.ocellus.vlm.model.ImagePiece;
import java.util.List;

/**
 * Makes one entry of a whole prompt, for models in which all of it sees all of it: its tokens
 * become rows, which stand between those of the pictures and are decoded with them as those of one
 * picture are.
 */
final class WholePrompt {
  private final TokenEmbeddings table;

  WholePrompt(TokenEmbeddings table) {
    this.table = table;
  }

  /** The same as one entry, which is not the same as any that differs in a token or a picture. */
  List<ContextEntry> join(List<ContextEntry> entries) {
    int width = table.width();
    int n = entries.stream().mapToInt(ContextEntry::size).sum();
    float[] rows = new float[Math.multiplyExact(n, width)];
    StringBuilder key = new StringBuilder("prompt");
    int at = 0;
    for (ContextEntry entry : entries) {
      switch (entry) {
        case ContextEntry.Token(int id) -> {
          table.row(id, rows, at * width);
          key.append(' ').append(id);
        }
        case ContextEntry.Picture picture -> {
          System.arraycopy(
              picture.image().rows(),
              picture.from() * width,
              rows,
              at * width,
              picture.size() * width);
          key.append(' ').append(picture.key()).append(':').append(picture.from());
        }
      }
      at += entry.size();
    }
    ImagePiece.Rows layout = ImagePiece.Rows.of(n);
    var whole = new EncodedImage(rows, n, width, List.of(layout));
    return List.of(new ContextEntry.Picture(key.toString(), whole, 0, layout));
  }
}
