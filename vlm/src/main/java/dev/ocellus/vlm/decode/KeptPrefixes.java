package dev.ocellus.vlm.decode;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Beginnings of conversations whose sequences went on to others, each in a spare sequence: those
 * with images, whose rows are many and come again, and long texts. They take cells that nobody else
 * needs, a bounded number of them, and those used longest ago go first.
 *
 * <p>Guarded by the lock of its {@link PrefixSharing}, but for {@link #use}.
 */
final class KeptPrefixes {
  /** Places of text behind the last image that are worth a sequence. */
  static final int LONG_TEXT = 256;

  /** A beginning in its sequence. */
  record Prefix(int sequence, List<ContextEntry> entries, int places) {}

  private final SharedCells cells;
  private final int maxPlaces;
  private final Deque<Integer> free = new ArrayDeque<>();
  private final List<Prefix> kept = new ArrayList<>(); // used longest ago first
  private volatile KeptUse use = KeptUse.NONE;

  /**
   * @param first of the spare sequences
   * @param n how many there are; 0 to keep nothing
   * @param maxPlaces most places of all together
   */
  KeptPrefixes(SharedCells cells, int first, int n, int maxPlaces) {
    this.cells = cells;
    this.maxPlaces = maxPlaces;
    for (int i = 0; i < n; i++) {
      free.add(first + i);
    }
  }

  /** What is kept now. Any thread may ask. */
  KeptUse use() {
    return use;
  }

  /**
   * Keeps what is worth it of a sequence that is about to lose it.
   *
   * @param present what stands in the sequence
   * @param covered entries of that beginning that stay in another sequence, or in this one
   */
  void keep(int from, List<ContextEntry> present, int covered) {
    if (free.isEmpty() && kept.isEmpty()) {
      return; // there are no spare sequences
    }
    int here = Math.max(covered, longest(present));
    int end = worth(present, here);
    int position = ContextEntry.positionsOf(present.subList(0, end));
    // layers with a window may have given away what a token behind it attends to
    if (end == 0 || !cells.hasPositionsBefore(from, position)) {
      return;
    }
    List<ContextEntry> entries = present.subList(0, end).stream().map(KeptPrefixes::bare).toList();
    makeRoom(entries);
    int sequence = free.remove();
    cells.share(from, sequence, position);
    kept.add(new Prefix(sequence, entries, ContextEntry.placesOf(entries)));
    count();
  }

  /** Entries to keep: all where much text is behind the last image, else through that; or none. */
  private int worth(List<ContextEntry> present, int covered) {
    int image = present.size();
    while (image > 0 && !(present.get(image - 1) instanceof ContextEntry.Image)) {
      image--;
    }
    int text = ContextEntry.placesOf(present.subList(Math.max(image, covered), present.size()));
    if (text >= LONG_TEXT && ContextEntry.placesOf(present) <= maxPlaces) {
      return present.size();
    }
    boolean fits = ContextEntry.placesOf(present.subList(0, image)) <= maxPlaces;
    return image > covered && fits ? image : 0;
  }

  /** What tells an entry from others, without the rows of images. */
  private static ContextEntry bare(ContextEntry entry) {
    return entry instanceof ContextEntry.Image image ? image.withoutRows() : entry;
  }

  private void makeRoom(List<ContextEntry> entries) {
    // what is only a beginning of the new one is not needed beside it
    kept.stream()
        .filter(old -> ContextEntry.shared(old.entries, entries) == old.entries.size())
        .toList()
        .forEach(this::drop);
    int places = ContextEntry.placesOf(entries);
    while (free.isEmpty() || use.places() + places > maxPlaces) {
      drop(kept.getFirst());
    }
  }

  private int longest(List<ContextEntry> present) {
    return kept.stream().mapToInt(old -> ContextEntry.shared(old.entries, present)).max().orElse(0);
  }

  /**
   * The one that has most of a conversation's beginning, which is used now.
   *
   * @param have entries of that beginning that stand somewhere already
   * @return null if none has more of them
   */
  @Nullable Prefix find(List<ContextEntry> wanted, int have) {
    Prefix best = null;
    int most = have;
    for (Prefix prefix : kept) {
      int common = ContextEntry.common(prefix.entries, wanted);
      int position = ContextEntry.positionsOf(wanted.subList(0, common));
      if (common > most && cells.hasPositionsBefore(prefix.sequence, position)) {
        best = prefix;
        most = common;
      }
    }
    if (best != null) {
      kept.remove(best);
      kept.add(best);
    }
    return best;
  }

  /**
   * Gives up the one that was used longest ago.
   *
   * @return false if there is none
   */
  boolean dropOldest() {
    if (kept.isEmpty()) {
      return false;
    }
    drop(kept.getFirst());
    return true;
  }

  private void drop(Prefix prefix) {
    boolean unused = cells.removeFrom(prefix.sequence, 0);
    kept.remove(prefix);
    free.add(prefix.sequence);
    count();
  }

  private void count() {
    use = new KeptUse(kept.size(), kept.stream().mapToInt(Prefix::places).sum());
  }
}
