package dev.ocellus.vlm.tokenizer;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;

/**
 * Byte pair encoding (arXiv:1508.07909) on ids: of all neighbours that a merge is known for, those
 * of the lowest rank become one, from the left, until none are left. A queue keeps the time nearly
 * linear in the length of a word, which may be a whole text without a space.
 */
final class BytePairs {
  private record Merge(int rank, int id) {}

  /** Two neighbours that could become one, when they were seen. */
  private record Candidate(int rank, int at, int left, int right, int merged)
      implements Comparable<Candidate> {
    @Override
    public int compareTo(Candidate other) {
      int byRank = Integer.compare(rank, other.rank);
      return byRank != 0 ? byRank : Integer.compare(at, other.at);
    }
  }

  private final Map<Long, Merge> merges = new HashMap<>();

  /**
   * The merges of a file.
   *
   * @param merges left and right part with a space between them, in the order of their ranks
   * @throws TokenizerFormatException if one names or makes what is no token
   */
  static BytePairs of(List<String> merges, Map<String, Integer> ids) {
    var pairs = new BytePairs();
    for (String merge : merges) {
      int space = merge.indexOf(' ');
      Integer left = space < 0 ? null : ids.get(merge.substring(0, space));
      Integer right = space < 0 ? null : ids.get(merge.substring(space + 1));
      Integer both =
          space < 0 ? null : ids.get(merge.substring(0, space) + merge.substring(space + 1));
      if (left == null || right == null || both == null) {
        throw new TokenizerFormatException(
            "merges", "two tokens that together are a third", "'" + merge + "'");
      }
      pairs.add(left, right, both);
    }
    return pairs;
  }

  /** Adds a merge behind those that are there; the last one of a pair counts. */
  void add(int left, int right, int merged) {
    merges.put(key(left, right), new Merge(merges.size(), merged));
  }

  /**
   * Adds a merge of a rank, which several pairs may have; of equal ranks the leftmost goes first.
   */
  void add(int left, int right, int merged, int rank) {
    merges.put(key(left, right), new Merge(rank, merged));
  }

  private static long key(int left, int right) {
    return (long) left << 32 | right;
  }

  /** Merges the symbols of a word. */
  int[] merge(int[] symbols) {
    if (symbols.length < 2) {
      return symbols;
    }
    return new Word(symbols.clone()).merged();
  }

  /** A word while it is merged: a list of symbols that are linked both ways. */
  private final class Word {
    private static final int GONE = -1;

    private final int[] ids;
    private final int[] next;
    private final int[] previous;
    private final PriorityQueue<Candidate> queue = new PriorityQueue<>();

    Word(int[] ids) {
      this.ids = ids;
      next = new int[ids.length];
      previous = new int[ids.length];
      for (int i = 0; i < ids.length; i++) {
        next[i] = i + 1;
        previous[i] = i - 1;
      }
      for (int i = 0; i + 1 < ids.length; i++) {
        offer(i);
      }
    }

    private void offer(int at) {
      int right = next[at];
      if (right < ids.length) {
        Merge merge = merges.get(key(ids[at], ids[right]));
        if (merge != null) {
          queue.add(new Candidate(merge.rank, at, ids[at], ids[right], merge.id));
        }
      }
    }

    int[] merged() {
      for (Candidate c = queue.poll(); c != null; c = queue.poll()) {
        int right = next[c.at];
        if (ids[c.at] == c.left && right < ids.length && ids[right] == c.right) {
          join(c.at, right, c.merged);
        }
      }
      return Arrays.stream(ids).filter(id -> id != GONE).toArray();
    }

    private void join(int left, int right, int merged) {
      ids[left] = merged;
      ids[right] = GONE;
      next[left] = next[right];
      if (next[right] < ids.length) {
        previous[next[right]] = left;
      }
      if (previous[left] >= 0) {
        offer(previous[left]);
      }
      offer(left);
    }
  }
}
