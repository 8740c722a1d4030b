package dev.ocellus.vlm;

import dev.ocellus.ggml.CancellationFlag;
import dev.ocellus.llama.Batch;
import dev.ocellus.llama.LlamaContext;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Brings a context to a wanted content with as little computing as possible: what it has in common
 * with the present content, from the beginning on, stays.
 *
 * <p>A picture may have more rows than a batch; it is decoded in parts, as long text is.
 */
final class ContextFiller implements AutoCloseable {
  private static final int SEQUENCE = 0;

  private final LlamaContext context;
  private final Batch tokens;
  private @Nullable Batch rows;
  private final List<ContextEntry> present = new ArrayList<>();
  private int used;
  private int lastOutput;

  ContextFiller(LlamaContext context) {
    this.context = context;
    this.tokens = Batch.ofTokens(context.nBatch());
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
      if (entry instanceof ContextEntry.Picture(String other, ImageEmbeddings embeddings)
          && other.equals(key)) {
        return embeddings;
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
    int kept = 0;
    // the last entry is always computed again, for its logits
    while (common < Math.min(present.size(), wanted.size() - 1)
        && present.get(common).sameAs(wanted.get(common))) {
      kept += present.get(common).size();
      common++;
    }
    if (!truncate(common, kept)) {
      common = 0;
      kept = 0;
    }
    int total = wanted.stream().mapToInt(ContextEntry::size).sum();
    int reused = kept;
    int i = common;
    while (i < wanted.size()) {
      i = decodeFrom(wanted, i, flag);
      listener.onPrefill((double) (used - reused) / Math.max(1, total - reused));
    }
    return reused;
  }

  /** Forgets what comes after {@code nEntries}; false if the model can only forget everything. */
  private boolean truncate(int nEntries, int nPlaces) {
    if (nEntries == present.size()) {
      return true;
    }
    boolean partly = context.removeFrom(SEQUENCE, nPlaces);
    if (!partly) {
      context.clear();
      present.clear();
      used = 0;
      return false;
    }
    present.subList(nEntries, present.size()).clear();
    used = nPlaces;
    return true;
  }

  /** Decodes one picture, or as much text as fits a batch; gives the next entry. */
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
      tokens.add(id, used + tokens.size(), SEQUENCE, to == wanted.size() - 1);
      to++;
    }
    decode(tokens, flag);
    present.addAll(wanted.subList(from, to));
    return to;
  }

  private void decodePicture(ContextEntry.Picture picture, boolean last, CancellationFlag flag) {
    ImageEmbeddings embeddings = picture.embeddings();
    Batch batch = rows(embeddings.width());
    int start = used;
    try {
      int row = 0;
      while (row < embeddings.nTokens()) {
        batch.clear();
        while (row < embeddings.nTokens() && batch.size() < batch.capacity()) {
          batch.add(
              embeddings.rows(),
              row,
              new int[] {used + batch.size()},
              SEQUENCE,
              last && row == embeddings.nTokens() - 1);
          row++;
        }
        decode(batch, flag);
      }
    } catch (RuntimeException e) {
      // a part of a picture is of no use to anybody
      used = start;
      context.removeFrom(SEQUENCE, start);
      throw e;
    }
    present.add(picture);
  }

  private Batch rows(int width) {
    if (rows == null) {
      rows = Batch.ofEmbeddings(context.nBatch(), width, 1);
    }
    return rows;
  }

  /** Adds one token of the answer. */
  void append(int token, CancellationFlag flag) {
    tokens.clear();
    tokens.add(token, used, SEQUENCE, true);
    decode(tokens, flag);
    present.add(new ContextEntry.Token(token));
  }

  private void decode(Batch batch, CancellationFlag flag) {
    try {
      context.decode(batch, flag);
    } catch (RuntimeException e) {
      if (!context.isClosed()) {
        context.removeFrom(SEQUENCE, used); // micro-batches that were complete
      }
      throw e;
    }
    used += batch.size();
    lastOutput = batch.size() - 1;
  }

  @Override
  public void close() {
    tokens.close();
    if (rows != null) {
      rows.close();
    }
  }
}
