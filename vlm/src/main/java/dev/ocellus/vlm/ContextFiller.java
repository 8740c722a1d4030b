package dev.ocellus.vlm;

import dev.ocellus.ggml.CancellationFlag;
import dev.ocellus.llama.Batch;
import dev.ocellus.llama.LlamaContext;
import dev.ocellus.vlm.model.ImagePiece;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Brings a context to a wanted content with as little computing as possible: what it has in common
 * with the present content, from the beginning on, stays.
 *
 * <p>A picture may have more rows than a batch; it is decoded in parts, as long text is, unless its
 * rows see each other.
 */
final class ContextFiller implements AutoCloseable {
  private static final int SEQUENCE = 0;

  private final LlamaContext context;
  private final boolean rowsSeeEachOther;
  private final int nPositions;
  private final Batch tokens;
  private @Nullable Batch rows;
  private final List<ContextEntry> present = new ArrayList<>();
  private int used;
  private int position;
  private int lastOutput;

  /**
   * @param rowsSeeEachOther whether the rows of a picture are decoded without a causal mask
   */
  ContextFiller(LlamaContext context, boolean rowsSeeEachOther) {
    this.context = context;
    this.rowsSeeEachOther = rowsSeeEachOther;
    this.nPositions = context.model().nPositions();
    this.tokens = Batch.ofTokens(context.nBatch());
  }

  /** Whether the rows of a picture must be decoded together. */
  boolean rowsSeeEachOther() {
    return rowsSeeEachOther;
  }

  /** Places in use. */
  int used() {
    return used;
  }

  /** Entry of the last batch that has the logits for what comes next. */
  int lastOutput() {
    return lastOutput;
  }

  /** The embeddings of a picture that stands in the context, or null. */
  @Nullable ImageEmbeddings find(String key) {
    for (ContextEntry entry : present) {
      if (entry instanceof ContextEntry.Picture picture && picture.key().equals(key)) {
        return picture.embeddings();
      }
    }
    return null;
  }

  /**
   * Fills the context, with the logits after the last entry wanted.
   *
   * @return places that did not have to be computed
   */
  int fill(List<ContextEntry> wanted, CancellationFlag flag, AnswerListener listener) {
    int common = 0;
    // the last entry is always computed again, for its logits
    while (common < Math.min(present.size(), wanted.size() - 1)
        && present.get(common).sameAs(wanted.get(common))) {
      common++;
    }
    if (!truncate(common)) {
      common = 0;
    }
    int total = wanted.stream().mapToInt(ContextEntry::size).sum();
    int reused = used;
    int i = common;
    while (i < wanted.size()) {
      i = decodeFrom(wanted, i, flag);
      listener.onPrefill((double) (used - reused) / Math.max(1, total - reused));
    }
    return reused;
  }

  /** Forgets what comes after {@code nEntries}; false if the model can only forget everything. */
  private boolean truncate(int nEntries) {
    if (nEntries == present.size()) {
      return true;
    }
    List<ContextEntry> kept = present.subList(0, nEntries);
    int keptPositions = kept.stream().mapToInt(ContextEntry::positions).sum();
    if (!context.removeFrom(SEQUENCE, keptPositions)) {
      context.clear();
      present.clear();
      used = 0;
      position = 0;
      return false;
    }
    used = kept.stream().mapToInt(ContextEntry::size).sum();
    position = keptPositions;
    present.subList(nEntries, present.size()).clear();
    return true;
  }

  /** Decodes rows of one picture, or as much text as fits a batch; gives the next entry. */
  private int decodeFrom(List<ContextEntry> wanted, int from, CancellationFlag flag) {
    if (wanted.get(from) instanceof ContextEntry.Picture picture) {
      decodePicture(picture, from == wanted.size() - 1, flag);
      return from + 1;
    }
    int to = from;
    tokens.clear();
    while (to < wanted.size()
        && tokens.size() < tokens.capacity()
        && wanted.get(to) instanceof ContextEntry.Token(int id)) {
      tokens.add(id, position + tokens.size(), SEQUENCE, to == wanted.size() - 1);
      to++;
    }
    decode(tokens, flag);
    position += to - from;
    present.addAll(wanted.subList(from, to));
    return to;
  }

  private void decodePicture(ContextEntry.Picture picture, boolean last, CancellationFlag flag) {
    int start = used;
    int nRows = picture.rows().count();
    Batch batch = rows(picture.embeddings().width());
    if (rowsSeeEachOther) {
      context.setCausal(false);
    }
    try {
      int row = 0;
      while (row < nRows) {
        batch.clear();
        while (row < nRows && batch.size() < batch.capacity()) {
          batch.add(
              picture.embeddings().rows(),
              picture.from() + row,
              positionOf(picture.rows(), row),
              SEQUENCE,
              last && row == nRows - 1);
          row++;
        }
        decode(batch, flag);
      }
    } catch (RuntimeException e) {
      // a part of a picture is of no use to anybody
      used = start;
      forgetFromPosition();
      throw e;
    } finally {
      if (rowsSeeEachOther && !context.isClosed()) {
        context.setCausal(true);
      }
    }
    position += picture.rows().positions();
    present.add(picture);
  }

  /**
   * Position of a row on every axis: its place in the line, or on a grid time, height and width, as
   * multi-axis rotary positions want them.
   */
  private int[] positionOf(ImagePiece.Rows rows, int row) {
    int[] axes = new int[nPositions];
    if (rows.onGrid() && nPositions > 1) {
      axes[0] = position + rows.time(row);
      axes[1] = position + rows.line(row);
      axes[2] = position + rows.column(row);
      return axes;
    }
    Arrays.fill(axes, 0, Math.min(3, nPositions), position + row);
    return axes;
  }

  private Batch rows(int width) {
    if (rows == null) {
      rows = Batch.ofEmbeddings(context.nBatch(), width, nPositions);
    }
    return rows;
  }

  /** Adds one token of the answer. */
  void append(int token, CancellationFlag flag) {
    tokens.clear();
    tokens.add(token, position, SEQUENCE, true);
    decode(tokens, flag);
    position++;
    present.add(new ContextEntry.Token(token));
  }

  private void decode(Batch batch, CancellationFlag flag) {
    try {
      context.decode(batch, flag);
    } catch (RuntimeException e) {
      forgetFromPosition(); // micro-batches that were complete
      throw e;
    }
    used += batch.size();
    lastOutput = batch.size() - 1;
  }

  private void forgetFromPosition() {
    if (!context.isClosed() && !context.removeFrom(SEQUENCE, position)) {
      context.clear();
      present.clear();
      used = 0;
      position = 0;
    }
  }

  @Override
  public void close() {
    tokens.close();
    if (rows != null) {
      rows.close();
    }
  }
}
