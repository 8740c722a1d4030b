package dev.ocellus.vlm.decode;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The checkpoints of one sequence, from its beginning on, in a bounded amount of memory. When it is
 * full, the one goes whose neighbours are nearest, so that what remains is spread over the
 * conversation; the last one stays.
 *
 * <p>For one thread at a time, but for {@link #bytes}.
 */
final class Checkpoints implements AutoCloseable {
  /**
   * A place in the sequence.
   *
   * @param nEntries entries that stand before it
   * @param nPlaces places that they take
   */
  record Entry(int nEntries, int nPlaces, KvCheckpoint state) {}

  private final long maxBytes;
  private final List<Entry> kept = new ArrayList<>();
  private volatile long bytes;

  /** Taken before draft tokens, to which the sequence goes back when some are rejected. */
  private @Nullable Entry draft;

  /**
   * @param maxBytes of all together, without that of draft tokens; 0 for none
   */
  Checkpoints(long maxBytes) {
    this.maxBytes = maxBytes;
  }

  /** Whether any are kept. */
  boolean enabled() {
    return maxBytes > 0;
  }

  /** Bytes in use, that of draft tokens included. */
  long bytes() {
    return bytes;
  }

  /** Places before the last one that is kept; 0 where there is none. */
  int lastPlaces() {
    return kept.isEmpty() ? 0 : kept.getLast().nPlaces;
  }

  /** Keeps a checkpoint behind all others. */
  void add(int nEntries, int nPlaces, KvCheckpoint state) {
    kept.add(new Entry(nEntries, nPlaces, state));
    while (sum() > maxBytes) {
      remove(kept.size() == 1 ? 0 : densest());
    }
    count();
  }

  /** Which of those before the last has the shortest way between its neighbours. */
  private int densest() {
    int best = 0;
    int shortest = Integer.MAX_VALUE;
    for (int i = 0; i < kept.size() - 1; i++) {
      int before = i == 0 ? 0 : kept.get(i - 1).nPlaces;
      int way = kept.get(i + 1).nPlaces - before;
      if (way < shortest) {
        shortest = way;
        best = i;
      }
    }
    return best;
  }

  private void remove(int i) {
    kept.remove(i).state.close();
  }

  private long sum() {
    return kept.stream().mapToLong(e -> e.state.bytes()).sum();
  }

  private void count() {
    bytes = sum() + (draft == null ? 0 : draft.state.bytes());
  }

  /** All but that of draft tokens, from the beginning on. */
  List<Entry> kept() {
    return List.copyOf(kept);
  }

  /** The place of draft tokens, whose memory may be used again for another such place. */
  @Nullable Entry draft() {
    return draft;
  }

  /** Sets the place before draft tokens. */
  void setDraft(@Nullable Entry draft) {
    this.draft = draft;
    count();
  }

  /** The last place that has at most so many entries before it, or null. */
  @Nullable Entry last(int nEntries) {
    Entry last = null;
    for (Entry e : kept) {
      if (e.nEntries <= nEntries) {
        last = e;
      }
    }
    boolean drafted =
        draft != null
            && draft.nEntries <= nEntries
            && (last == null || draft.nEntries > last.nEntries);
    return drafted ? draft : last;
  }

  /** Forgets those with more entries before them, which stand no longer in the sequence. */
  void dropBehind(int nEntries) {
    while (!kept.isEmpty() && kept.getLast().nEntries > nEntries) {
      remove(kept.size() - 1);
    }
    if (draft != null && draft.nEntries > nEntries) {
      draft.state.close();
      draft = null;
    }
    count();
  }

  @Override
  public void close() {
    dropBehind(-1);
  }
}
