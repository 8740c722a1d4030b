package dev.ocellus.vlm.decode;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.llama.StateFormatException;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.vision.EncodedImage;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Brings a sequence to a wanted content with as little computing as possible: what it has in common
 * with the present content, from the beginning on, stays.
 *
 * <p>An image may have more embeddings than a batch; it is decoded in parts, as long text is,
 * unless they attend to each other.
 */
@SuppressWarnings("NonAtomicVolatileUpdate") // one thread writes, others only look
public final class PromptCache {
  private final KvSequence sequence;
  private final int nPositions;
  private final boolean usesNonCausalImageAttention;
  private final List<ContextEntry> present = new ArrayList<>();
  private int[] ids = new int[64];
  private volatile int used;
  private int position;
  private volatile boolean fromFile;
  private volatile boolean borrowed;

  /** Whether a change ended half done, so that nobody knows what stands in the sequence. */
  private boolean broken;

  /**
   * @param nPositions position numbers of an embedding
   * @param usesNonCausalImageAttention whether the embeddings of an image are decoded without a
   *     causal mask
   */
  public PromptCache(KvSequence sequence, int nPositions, boolean usesNonCausalImageAttention) {
    this.sequence = sequence;
    this.nPositions = nPositions;
    this.usesNonCausalImageAttention = usesNonCausalImageAttention;
  }

  /** Whether the embeddings of an image must be decoded together. */
  public boolean usesNonCausalImageAttention() {
    return usesNonCausalImageAttention;
  }

  /** Position of what comes next. */
  public int position() {
    return position;
  }

  /** Places in use. */
  public int used() {
    return used;
  }

  /** Places that the conversation uses which answers here now. */
  public int ownUsed() {
    return borrowed ? 0 : used;
  }

  /**
   * Another conversation goes on here. It may begin as the last one did; but keys and values from a
   * file are believed in nobody's conversation but that of who restored it.
   */
  public void markBorrowed() {
    borrowed = true;
  }

  /** What stands in the sequence. */
  public List<ContextEntry> present() {
    clearIfBroken();
    return List.copyOf(present);
  }

  /** An image that stands in the context, or null. */
  public @Nullable EncodedImage find(String key) {
    if (broken || (borrowed && fromFile)) {
      return null;
    }
    for (ContextEntry entry : present) {
      if (entry instanceof ContextEntry.Image image && image.key().equals(key)) {
        return image.image();
      }
    }
    return null;
  }

  /** Empties the sequence. */
  public void clear() {
    broken = true;
    forgetAll();
    sequence.removeFrom(0);
    broken = false;
  }

  private void clearIfBroken() {
    if (broken) {
      clear();
    }
  }

  private void forgetAll() {
    present.clear();
    used = 0;
    position = 0;
    fromFile = false;
    borrowed = false;
  }

  /**
   * Brings saved keys and values back.
   *
   * @param entries what they were computed for
   * @param reader reads them into the sequence; false if they do not fit it, which is empty then
   * @throws StateFormatException if they are not those of the entries, and then nothing is changed
   */
  public void restore(List<ContextEntry> entries, StateReader reader) throws IOException {
    clearIfBroken();
    broken = true; // until all is read
    boolean fits;
    try {
      fits = reader.read();
    } catch (StateFormatException e) {
      broken = false;
      throw e;
    }
    if (!fits) {
      clear();
      return;
    }
    forgetAll();
    restoreEntries(entries);
    fromFile = true;
    broken = false;
  }

  /** Reads saved keys and values into the sequence. */
  @FunctionalInterface
  public interface StateReader {
    boolean read() throws IOException;
  }

  private void restoreEntries(List<ContextEntry> entries) {
    present.addAll(entries);
    used = entries.stream().mapToInt(ContextEntry::size).sum();
    position = entries.stream().mapToInt(ContextEntry::positions).sum();
  }

  /**
   * Fills the sequence, with the logits after the last entry wanted.
   *
   * @return places that did not have to be computed
   */
  public int fill(List<ContextEntry> wanted, CancellationFlag flag, AnswerListener listener) {
    if (broken || (borrowed && fromFile)) {
      clear();
    }
    borrowed = false;
    int common = keepCommon(wanted);
    int total = wanted.stream().mapToInt(ContextEntry::size).sum();
    int reused = used;
    int i = common;
    while (i < wanted.size()) {
      i = decodeFrom(wanted, i, flag);
      listener.onPrefill((double) (used - reused) / Math.max(1, total - reused));
    }
    if (!fromFile) {
      sequence.offer(present);
    }
    return reused;
  }

  /** Leaves what stands here or elsewhere of the entries already; gives how many those are. */
  private int keepCommon(List<ContextEntry> wanted) {
    broken = true;
    int common = ContextEntry.common(present, wanted);
    int taken = sequence.adoptPrefix(wanted, common);
    if (taken > 0) {
      common = taken;
      forgetAll();
      restoreEntries(wanted.subList(0, taken));
    } else if (!keep(common)) {
      common = 0;
    }
    broken = false;
    return common;
  }

  /** Forgets what comes after {@code nEntries}; false if it had to forget everything. */
  private boolean keep(int nEntries) {
    if (nEntries == present.size()) {
      return true;
    }
    List<ContextEntry> kept = present.subList(0, nEntries);
    int keptPositions = kept.stream().mapToInt(ContextEntry::positions).sum();
    if (!sequence.hasPositionsBefore(keptPositions) || !sequence.removeFrom(keptPositions)) {
      clear();
      return false;
    }
    used = kept.stream().mapToInt(ContextEntry::size).sum();
    position = keptPositions;
    present.subList(nEntries, present.size()).clear();
    return true;
  }

  /** Takes back the last tokens: draft tokens that were rejected. */
  public void dropTokens(int n) {
    if (n == 0) {
      return;
    }
    broken = true;
    if (!sequence.removeFrom(position - n)) {
      throw new IllegalStateException("this model's memory cannot take back single tokens");
    }
    used -= n;
    position -= n;
    present.subList(present.size() - n, present.size()).clear();
    broken = false;
  }

  /** Decodes the embeddings of one image, or as much text as fits a batch; gives the next entry. */
  private int decodeFrom(List<ContextEntry> wanted, int from, CancellationFlag flag) {
    if (wanted.get(from) instanceof ContextEntry.Image image) {
      decodeImage(image, from == wanted.size() - 1, flag);
      return from + 1;
    }
    int to = from;
    while (to < wanted.size()
        && to - from < sequence.nBatch()
        && wanted.get(to) instanceof ContextEntry.Token(int id)) {
      put(to - from, id);
      to++;
    }
    decode(to - from, to == wanted.size() ? 1 : 0, flag);
    return to;
  }

  private void put(int i, int id) {
    if (i == ids.length) {
      ids = Arrays.copyOf(ids, 2 * i);
    }
    ids[i] = id;
  }

  /**
   * Adds a token of the answer, and draft tokens behind it; all of them get logits.
   *
   * @param drafts tokens that may follow
   */
  public void append(int token, int[] drafts, CancellationFlag flag) {
    put(0, token);
    for (int i = 0; i < drafts.length; i++) {
      put(i + 1, drafts[i]);
    }
    decode(1 + drafts.length, 1 + drafts.length, flag);
  }

  /** Computes the first {@code n} of {@link #ids}. */
  private void decode(int n, int outputs, CancellationFlag flag) {
    int nBefore = present.size();
    try {
      sequence.decodeTokens(ids, 0, n, position, outputs, flag);
      for (int i = 0; i < n; i++) {
        present.add(new ContextEntry.Token(ids[i]));
      }
    } catch (Throwable e) {
      rollBack(nBefore); // micro-batches that were complete
      throw e;
    }
    used += n;
    position += n;
  }

  private void decodeImage(ContextEntry.Image image, boolean last, CancellationFlag flag) {
    int nEmbeddings = image.embeddings().count();
    int nBefore = present.size();
    try {
      for (int row = 0; row < nEmbeddings; ) {
        int n = Math.min(nEmbeddings - row, sequence.nBatch());
        int[][] positions = new int[n][];
        for (int i = 0; i < n; i++) {
          positions[i] = ContextEntry.axes(image.embeddings(), row + i, position, nPositions);
        }
        boolean wantsLogits = last && row + n == nEmbeddings;
        sequence.decodeEmbeddings(
            image.image(),
            image.from() + row,
            positions,
            !usesNonCausalImageAttention,
            wantsLogits,
            flag);
        row += n;
      }
      present.add(image);
    } catch (Throwable e) {
      rollBack(nBefore); // a part of an image is of no use to anybody
      throw e;
    }
    used += nEmbeddings;
    position += image.embeddings().positions();
  }

  /** Forgets what a call that failed has left behind, whatever it failed with. */
  private void rollBack(int nEntries) {
    broken = true;
    present.subList(nEntries, present.size()).clear();
    if (sequence.isClosed()) {
      return;
    }
    if (sequence.removeFrom(position)) {
      broken = false;
    } else {
      clear();
    }
  }
}
