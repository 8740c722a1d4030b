package dev.ocellus.vlm.decode;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.llama.StateFormatException;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.vision.EncodedImage;
import dev.ocellus.vlm.vision.PromptAttention;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.NavigableSet;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/**
 * Brings a sequence to a wanted content with as little computing as possible: what it has in common
 * with the present content, from the beginning on, stays.
 *
 * <p>Where the model's memory cannot forget its end (recurrent states), checkpoints are taken at
 * the borders of messages, and a changed conversation is computed again from the last one before
 * the change. Draft tokens that were rejected are taken back by one before them: the tokens that
 * stay are computed again, together with the next ones.
 */
@SuppressWarnings("NonAtomicVolatileUpdate") // one thread writes, others only look
public final class PromptCache implements AutoCloseable {
  /** So many tokens may wait to be computed again with the next ones. */
  private static final int MAX_PENDING = 8;

  private static final int[] NOTHING = {};

  private final KvSequence sequence;
  private final ImageRows imageRows;
  private final List<ContextEntry> present = new ArrayList<>();
  private int[] ids = new int[64];
  private final Checkpoints checkpoints;
  private final CheckpointPlaces places;
  private volatile int used;

  /** Tokens behind what stands here that were computed once, and are again with the next ones. */
  private volatile int[] pending = NOTHING;

  private int position;
  private volatile boolean fromFile;
  private volatile boolean borrowed;

  /** Whether a change ended half done, so that nobody knows what stands in the sequence. */
  private boolean broken;

  /**
   * @param checkpointBytes memory for checkpoints, where the sequence needs any; 0 for none
   * @param isControl whether a token is a control token, which stand where messages end
   */
  public PromptCache(
      KvSequence sequence,
      int nPositions,
      PromptAttention attention,
      long checkpointBytes,
      IntPredicate isControl) {
    this.checkpoints = new Checkpoints(checkpointBytes);
    this.places = new CheckpointPlaces(isControl);
    this.sequence = sequence;
    this.imageRows = new ImageRows(sequence, nPositions, attention);
  }

  /** Position of what comes next. */
  public int position() {
    return position;
  }

  /** Places in use. */
  public int used() {
    return used + pending.length;
  }

  /** Bytes of memory that checkpoints take. */
  public long checkpointBytes() {
    return checkpoints.bytes();
  }

  /** Places that the conversation uses which answers here now. */
  public int ownUsed() {
    return borrowed ? 0 : used();
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
    return broken || (borrowed && fromFile) ? null : ContextEntry.image(present, key);
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
    checkpoints.dropBehind(-1);
    pending = NOTHING;
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

  private void restoreEntries(List<ContextEntry> entries) {
    present.addAll(entries);
    used = ContextEntry.placesOf(entries);
    position = ContextEntry.positionsOf(entries);
  }

  /**
   * Fills the sequence, with the logits after the last entry wanted.
   *
   * @return places that did not have to be computed
   */
  public int fill(List<ContextEntry> wanted, CancellationFlag flag, AnswerListener listener) {
    try {
      return bringTo(wanted, flag, listener);
    } finally {
      sequence.promptEnded();
    }
  }

  private int bringTo(List<ContextEntry> wanted, CancellationFlag flag, AnswerListener listener) {
    if (broken || (borrowed && fromFile)) {
      clear();
    }
    borrowed = false;
    pending = NOTHING;
    int common = keepCommon(wanted, flag);
    int total = ContextEntry.placesOf(wanted);
    int reused = used;
    int i = common;
    NavigableSet<Integer> stops = checkpointPlaces(wanted, common);
    while (i < wanted.size()) {
      if (stops.contains(i)) {
        checkpoint();
      }
      Integer next = stops.higher(i);
      i = decodeFrom(wanted, i, next == null ? wanted.size() : next, flag);
      if (!fromFile) {
        sequence.offer(present); // also before its end, since others may wait for a part of it
      }
      listener.onPrefill((double) (used - reused) / Math.max(1, total - reused));
    }
    return reused;
  }

  /** Where to take checkpoints: where the new part begins, and in it. */
  private NavigableSet<Integer> checkpointPlaces(List<ContextEntry> wanted, int from) {
    if (!checkpoints.enabled()) {
      return Collections.emptyNavigableSet();
    }
    NavigableSet<Integer> stops = places.of(wanted, from, checkpoints.lastPlaces());
    if (used - checkpoints.lastPlaces() >= CheckpointPlaces.MIN_GAP) {
      stops.add(from);
    }
    return stops;
  }

  private void checkpoint() {
    sequence
        .checkpoint(position, null)
        .ifPresent(state -> checkpoints.add(present.size(), used, state));
  }

  /** Leaves what stands here or elsewhere of the entries already; gives how many those are. */
  private int keepCommon(List<ContextEntry> wanted, CancellationFlag flag) {
    broken = true;
    int common = ContextEntry.common(present, wanted);
    // nobody else believes what came from a file
    int taken = sequence.adoptPrefix(fromFile ? List.of() : present, wanted, canStay(common), flag);
    if (taken > 0) {
      common = taken;
      forgetAll();
      restoreEntries(wanted.subList(0, taken));
    } else {
      common = keep(common);
    }
    broken = false;
    return common;
  }

  /**
   * How many of the first entries would stay in the sequence if it were brought to these, without
   * what others hold.
   */
  public int reusable(List<ContextEntry> wanted) {
    return canStay(ContextEntry.common(present, wanted));
  }

  /** Places to which the sequence can go back. */
  Checkpoints checkpoints() {
    return checkpoints;
  }

  /** How many of the first entries would stay if those behind {@code nEntries} are forgotten. */
  private int canStay(int nEntries) {
    if (nEntries == present.size() || sequence.canForget()) {
      return nEntries;
    }
    Checkpoints.Entry last = checkpoints.last(nEntries);
    return last == null ? 0 : last.nEntries();
  }

  /**
   * Forgets what comes after {@code nEntries}, and more where the memory cannot forget so little.
   *
   * @return how many entries stand here now
   */
  private int keep(int nEntries) {
    if (nEntries == present.size()) {
      return nEntries;
    }
    int keptPositions = ContextEntry.positionsOf(present.subList(0, nEntries));
    if (sequence.hasPositionsBefore(keptPositions) && sequence.removeFrom(keptPositions)) {
      truncate(nEntries);
      return nEntries;
    }
    return backToCheckpoint(nEntries);
  }

  /** Goes back to the last checkpoint with at most so many entries before it, or to the start. */
  private int backToCheckpoint(int nEntries) {
    Checkpoints.Entry last = checkpoints.last(nEntries);
    if (last == null || !last.state().restore()) {
      clear();
      return 0;
    }
    truncate(last.nEntries());
    return last.nEntries();
  }

  private void truncate(int nEntries) {
    present.subList(nEntries, present.size()).clear();
    used = ContextEntry.placesOf(present);
    position = ContextEntry.positionsOf(present);
    checkpoints.dropBehind(nEntries);
  }

  /** Takes back the last tokens: draft tokens that were rejected. */
  public void dropTokens(int n) {
    if (n == 0) {
      return;
    }
    broken = true;
    int stay = present.size() - n;
    if (sequence.removeFrom(position - n)) {
      used -= n;
      position -= n;
      present.subList(stay, present.size()).clear();
    } else {
      int[] again = tokens(checkpointBeforeDrafts(), stay);
      int from = backToCheckpoint(stay);
      pending = stay - from == again.length ? again : NOTHING;
    }
    broken = false;
  }

  private int checkpointBeforeDrafts() {
    Checkpoints.Entry draft = checkpoints.draft();
    if (draft == null) {
      throw new IllegalStateException("this model's memory cannot take back single tokens");
    }
    return draft.nEntries();
  }

  private int[] tokens(int from, int to) {
    return present.subList(from, to).stream()
        .mapToInt(e -> ((ContextEntry.Token) e).id())
        .toArray();
  }

  /** Decodes the embeddings of one image, or as much text as fits a batch; gives the next entry. */
  private int decodeFrom(List<ContextEntry> wanted, int from, int end, CancellationFlag flag) {
    if (wanted.get(from) instanceof ContextEntry.Image image) {
      decodeImage(image, from == wanted.size() - 1, flag);
      return from + 1;
    }
    int to = from;
    while (to < end
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
    int nFirst = pending.length;
    boolean alone = nFirst >= MAX_PENDING || nFirst + 1 + drafts.length > sequence.nBatch();
    for (int i = 0; i < nFirst; i++) {
      put(i, pending[i]);
    }
    if (nFirst > 0 && alone) {
      decode(nFirst, 0, flag);
      pending = NOTHING;
      nFirst = 0;
    }
    if (drafts.length > 0) {
      checkpointBefore();
    }
    put(nFirst, token);
    for (int i = 0; i < drafts.length; i++) {
      put(nFirst + i + 1, drafts[i]);
    }
    pending = NOTHING;
    decode(nFirst + 1 + drafts.length, 1 + drafts.length, flag);
  }

  /** Lets the draft tokens that follow be taken back. */
  private void checkpointBefore() {
    Checkpoints.Entry old = checkpoints.draft();
    if (old != null && old.nEntries() == present.size()) {
      return;
    }
    checkpoints.setDraft(null);
    KvCheckpoint reuse = old == null ? null : old.state();
    sequence
        .checkpoint(position, reuse)
        .ifPresent(
            state -> checkpoints.setDraft(new Checkpoints.Entry(present.size(), used, state)));
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
    int nBefore = present.size();
    try {
      imageRows.decode(image, position, ContextEntry.nNumbered(present), last, flag);
      present.add(image);
    } catch (Throwable e) {
      rollBack(nBefore); // a part of an image is of no use to anybody
      throw e;
    }
    used += image.embeddings().count();
    position += image.embeddings().positions();
  }

  /** Forgets what a call that failed has left behind, whatever it failed with. */
  private void rollBack(int nEntries) {
    broken = true;
    present.subList(nEntries, present.size()).clear();
    if (sequence.isClosed()) {
      return;
    }
    if (!sequence.removeFrom(position)) {
      backToCheckpoint(nEntries);
    }
    broken = false;
  }

  /** Frees the memory of checkpoints; the sequence is not closed. */
  @Override
  public void close() {
    checkpoints.close();
  }
}
