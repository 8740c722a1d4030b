package dev.ocellus.vlm.decode;

import java.util.List;
import java.util.TreeSet;
import java.util.function.IntPredicate;

/**
 * Where a conversation is likely to be changed or continued: where a message ends, and behind an
 * image. Both are where control tokens follow each other; and in a long text every so often.
 */
final class CheckpointPlaces {
  /** Checkpoints are at least so many places apart: fewer are computed sooner than one is taken. */
  static final int MIN_GAP = 16;

  /** Control tokens this near to each other belong together. */
  private static final int NEAR = 8;

  /** Each one divides a batch, so there are few in what is computed at once. */
  private static final int MAX_BORDERS = 4;

  /** Places of text without a border that may have to be computed again. */
  private static final int LONG = 2048;

  private final IntPredicate isControl;

  /**
   * @param isControl whether a token is a control token
   */
  CheckpointPlaces(IntPredicate isControl) {
    this.isControl = isControl;
  }

  /**
   * Numbers of entries before which to take a checkpoint.
   *
   * @param from entries that stand in the sequence already
   * @param last places before the last checkpoint there is
   */
  TreeSet<Integer> of(List<ContextEntry> wanted, int from, int last) {
    int[] before = new int[wanted.size() + 1];
    for (int i = 0; i < wanted.size(); i++) {
      before[i + 1] = before[i] + wanted.get(i).size();
    }
    TreeSet<Integer> places = new TreeSet<>();
    addBorders(places, wanted, from, before);
    int previous = last;
    for (int i = from + 1; i < wanted.size(); i++) {
      if (places.contains(i)) {
        previous = before[i];
      } else if (before[i] - previous >= LONG) {
        places.add(i);
        previous = before[i];
      }
    }
    places.removeIf(i -> before[i] - last < MIN_GAP);
    return places;
  }

  private void addBorders(
      TreeSet<Integer> places, List<ContextEntry> wanted, int from, int[] before) {
    int border = -1; // the first of the control tokens that are near each other
    int found = 0;
    for (int i = wanted.size() - 1; i > from && found < MAX_BORDERS; i--) {
      if (!(wanted.get(i) instanceof ContextEntry.Token(int id) && isControl.test(id))) {
        continue;
      }
      if (border >= 0 && before[border] - before[i] > NEAR) {
        found += add(places, border, before);
      }
      border = i;
    }
    if (border >= 0 && found < MAX_BORDERS) {
      add(places, border, before);
    }
  }

  private static int add(TreeSet<Integer> places, int border, int[] before) {
    boolean apart = places.isEmpty() || before[places.first()] - before[border] >= MIN_GAP;
    if (apart) {
      places.add(border);
    }
    return apart ? 1 : 0;
  }
}
