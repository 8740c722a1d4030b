package dev.ocellus.llama;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalDouble;
import java.util.PriorityQueue;

/**
 * Merges neighbours, the least rank first and of equal ones the leftmost, until nothing is left to
 * merge: byte-pair encoding, with the ranks of whoever asks.
 */
final class PairMerger {
  /** How soon two pieces are merged. */
  interface Ranks {
    /** The least first; empty for those that are not merged. */
    OptionalDouble of(String left, String right);
  }

  private record Pair(double rank, int left, int right, String merged) {}

  private final Ranks ranks;
  private final PriorityQueue<Pair> queue =
      new PriorityQueue<>(Comparator.comparingDouble(Pair::rank).thenComparingInt(Pair::left));

  PairMerger(Ranks ranks) {
    this.ranks = ranks;
  }

  /** The pieces of a text, beginning with its characters. */
  List<String> merge(String text) {
    String[] pieces = text.codePoints().mapToObj(Character::toString).toArray(String[]::new);
    int[] next = new int[pieces.length];
    int[] previous = new int[pieces.length];
    Arrays.setAll(next, i -> i + 1);
    Arrays.setAll(previous, i -> i - 1);
    for (int i = 0; i + 1 < pieces.length; i++) {
      offer(pieces, i, i + 1);
    }
    for (Pair pair; (pair = queue.poll()) != null; ) {
      int left = pair.left();
      int right = pair.right();
      if (pieces[left].isEmpty()
          || pieces[right].isEmpty()
          || !pair.merged().equals(pieces[left] + pieces[right])) {
        continue; // one of them has been merged otherwise
      }
      pieces[left] = pair.merged();
      pieces[right] = "";
      next[left] = next[right];
      if (next[left] < pieces.length) {
        previous[next[left]] = left;
        offer(pieces, left, next[left]);
      }
      if (previous[left] >= 0) {
        offer(pieces, previous[left], left);
      }
    }
    List<String> merged = new ArrayList<>();
    for (int i = 0; i < pieces.length; i = next[i]) {
      merged.add(pieces[i]);
    }
    return merged;
  }

  private void offer(String[] pieces, int left, int right) {
    OptionalDouble rank = ranks.of(pieces[left], pieces[right]);
    if (rank.isPresent()) {
      queue.add(new Pair(rank.getAsDouble(), left, right, pieces[left] + pieces[right]));
    }
  }
}
