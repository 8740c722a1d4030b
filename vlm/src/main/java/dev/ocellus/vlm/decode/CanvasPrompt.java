package dev.ocellus.vlm.decode;

import dev.ocellus.llama.TokenEmbeddings;
import dev.ocellus.llama.Vocab;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Puts each image of a prompt, its slices and the tokens that mark them onto one plane of
 * positions, as MiniCPM-V 4.7 has it: those tokens become embeddings, and all of them one entry.
 *
 * <p>Source: {@code get_rope_index} of transformers' <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/minicpmv4_7/modeling_minicpmv4_7.py">modeling_minicpmv4_7.py</a>.
 */
public final class CanvasPrompt {
  /** Embeddings of tokens. */
  interface Table {
    /** Floats of one. */
    int width();

    /** Writes that of a token. */
    void row(int id, float[] destination, int offset);
  }

  private final Table table;
  private final int sliceStart;
  private final Set<Integer> markers;

  /**
   * @param sliceStart the token in front of a slice
   * @param markers all tokens that mark images and slices, and the line end
   */
  CanvasPrompt(Table table, int sliceStart, Set<Integer> markers) {
    this.table = table;
    this.sliceStart = sliceStart;
    this.markers = markers;
  }

  /**
   * For a text model.
   *
   * @throws IllegalArgumentException if a marker is not one token of its vocabulary
   */
  public static CanvasPrompt of(TokenEmbeddings embeddings, Vocab vocab) {
    int slice = token(vocab, "<slice>");
    return new CanvasPrompt(
        new Table() {
          @Override
          public int width() {
            return embeddings.width();
          }

          @Override
          public void row(int id, float[] destination, int offset) {
            embeddings.row(id, destination, offset);
          }
        },
        slice,
        Set.of(
            slice,
            token(vocab, "</slice>"),
            token(vocab, "<image>"),
            token(vocab, "</image>"),
            token(vocab, "\n")));
  }

  private static int token(Vocab vocab, String text) {
    int[] ids = vocab.tokenize(text, true);
    if (ids.length != 1) {
      throw new IllegalArgumentException(
          "the vocabulary: expected one token for '%s', found %d"
              .formatted(text.replace("\n", "\\n"), ids.length));
    }
    return ids[0];
  }

  /** The same with one entry for each image, and the tokens before the first and behind each. */
  public List<ContextEntry> join(List<ContextEntry> entries) {
    List<ContextEntry> out = new ArrayList<>();
    int position = 0;
    int i = 0;
    while (i < entries.size()) {
      ContextEntry entry = entries.get(i);
      if (isImage(entries, i) || isImage(entries, i + 1)) {
        int thumbnail = isImage(entries, i) ? i : i + 1;
        int end = end(entries, thumbnail);
        entry = new CanvasFrame(entries.subList(i, end), thumbnail - i, position).entry(table);
        i = end;
      } else {
        i++;
      }
      out.add(entry);
      position += entry.positions();
    }
    return out;
  }

  private static boolean isImage(List<ContextEntry> entries, int i) {
    return i < entries.size() && entries.get(i) instanceof ContextEntry.Image;
  }

  private boolean isMarker(ContextEntry entry) {
    return entry instanceof ContextEntry.Token(int id) && markers.contains(id);
  }

  /** Behind the last slice, and the markers that close it; the next image opens with its own. */
  private int end(List<ContextEntry> entries, int thumbnail) {
    int last = thumbnail;
    for (int i = last + 1; i < entries.size(); i++) {
      if (isImage(entries, i)) {
        if (!(entries.get(i - 1) instanceof ContextEntry.Token(int id) && id == sliceStart)) {
          break;
        }
        last = i;
      }
    }
    int end = last + 1;
    while (end < entries.size() && isMarker(entries.get(end)) && !isImage(entries, end + 1)) {
      end++;
    }
    return end;
  }
}
