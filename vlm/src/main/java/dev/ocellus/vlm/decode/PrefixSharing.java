package dev.ocellus.vlm.decode;

import dev.ocellus.compute.CancellationFlag;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Lets a conversation take over what another sequence of the same context has computed already,
 * such as a system prompt or an image that both begin with. The cells are not copied: they belong
 * to both sequences from then on, and live as long as one of them does.
 *
 * <p>A sequence offers what it will not take back before saying so, so that others can help
 * themselves while it answers. Whoever comes while another one computes the same beginning waits
 * for it. When a sequence is given to another conversation, what nobody else holds may be kept in a
 * spare one.
 */
final class PrefixSharing {
  /** Places that are worth waiting for. */
  private static final int WORTH = 32;

  private static final long LOOK_MILLIS = 20;

  /**
   * Longest wait for a part of a prompt: a listener that is told of it may wait for whoever waits.
   */
  private static final long PATIENCE_NANOS = 60_000_000_000L;

  /** A prompt that is being computed. */
  private record Goal(List<ContextEntry> entries, Thread thread) {}

  private final SharedCells cells;
  private final KeptPrefixes kept; // guarded by lock
  private final Offers<Integer> offers = new Offers<>(); // guarded by lock

  /**
   * Prompts that are being computed. Whoever waits is not among them, so nobody waits in a circle.
   */
  private final Map<Integer, Goal> goals = new HashMap<>(); // guarded by lock

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();

  /**
   * @param kept in spare sequences of the same cells
   */
  PrefixSharing(SharedCells cells, KeptPrefixes kept) {
    this.cells = cells;
    this.kept = kept;
  }

  /** Says what a sequence holds. */
  void offer(int sequence, List<ContextEntry> entries) {
    lock.lock();
    try {
      offers.put(sequence, entries);
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Says that a sequence is about to forget what stands at a position and behind it. */
  void withdraw(int sequence, int position) {
    lock.lock();
    try {
      offers.withdraw(sequence, position);
    } finally {
      lock.unlock();
    }
  }

  /**
   * Gives up one of the beginnings that are kept, so that a conversation has its cells.
   *
   * @return false if there is none
   */
  boolean makeRoom() {
    lock.lock();
    try {
      return kept.dropOldest();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Says that a saved conversation is about to be read into a sequence, for which there must be
   * cells: libllama does not tell whether it lacks them or finds the file wrong.
   */
  void restoring(int sequence) {
    withdraw(sequence, 0);
    while (makeRoom()) {
      continue;
    }
  }

  /**
   * Replaces the content of a sequence by the longest beginning of the entries that another one
   * holds, or will hold soon. Of what stands in it and will not stay, something may be kept. The
   * rest counts as being computed then, until {@link #end}.
   *
   * @param present what stands in the sequence; none where nobody else may have it
   * @param have entries of the wanted beginning that stand in the sequence already
   * @param flag ends the wait when set
   * @return how many entries stand there now; 0 if nobody has more of them, and then nothing is
   *     changed
   */
  int take(
      int sequence,
      List<ContextEntry> present,
      List<ContextEntry> wanted,
      int have,
      CancellationFlag flag) {
    lock.lock();
    try {
      int taken =
          cells.together(() -> {
            if (have < present.size()) {
              kept.keep(sequence, present, covered(sequence, present, have));
            }
            return takeLongest(sequence, wanted, have);
          });
      long end = System.nanoTime() + PATIENCE_NANOS;
      while (!flag.isCancelled()
          && isComputed(wanted, Math.max(have, taken))
          && System.nanoTime() < end) {
        awaitChange();
        int stands = Math.max(have, taken);
        int more = cells.together(() -> takeLongest(sequence, wanted, stands));
        if (more > 0) {
          taken = more;
          end = System.nanoTime() + PATIENCE_NANOS;
        }
      }
      goals.put(sequence, new Goal(List.copyOf(wanted), Thread.currentThread()));
      return taken;
    } finally {
      lock.unlock();
    }
  }

  /** Whether somebody is computing so much more of a beginning that it is worth the wait. */
  private boolean isComputed(List<ContextEntry> wanted, int have) {
    for (Map.Entry<Integer, Goal> each : goals.entrySet()) {
      List<ContextEntry> goal = each.getValue().entries;
      int common = ContextEntry.common(goal, wanted);
      List<ContextEntry> offered = offers.of(each.getKey());
      int done = offered == null ? 0 : ContextEntry.shared(offered, goal);
      boolean own = each.getValue().thread == Thread.currentThread(); // whose listener asks
      if (!own && done < common && common > have) {
        int gain = ContextEntry.placesOf(wanted.subList(have, common));
        int rest = ContextEntry.placesOf(goal.subList(done, nextOffer(goal, common)));
        if (gain >= WORTH && 2 * gain >= rest) {
          return true;
        }
      }
    }
    return false;
  }

  /** Where so many entries of a prompt are offered: with an image, or with a stretch of text. */
  private static int nextOffer(List<ContextEntry> goal, int nEntries) {
    int end = nEntries;
    while (end < goal.size() && !(goal.get(end - 1) instanceof ContextEntry.Image)) {
      end++;
    }
    return end;
  }

  @SuppressWarnings("WaitNotInLoop") // the loop is the caller's
  private void awaitChange() {
    try {
      boolean unused = changed.await(LOOK_MILLIS, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("Interrupted while a prompt was being computed", e);
    }
  }

  /** Says that nothing more is computed for a sequence's prompt. */
  void end(int sequence) {
    lock.lock();
    try {
      goals.remove(sequence);
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** How many entries stay: in the sequence itself, or in one that answers or is idle. */
  private int covered(int sequence, List<ContextEntry> present, int staying) {
    int covered = staying;
    for (List<ContextEntry> offered : offers.others(sequence).values()) {
      covered = Math.max(covered, ContextEntry.shared(offered, present));
    }
    return covered;
  }

  private int takeLongest(int sequence, List<ContextEntry> wanted, int have) {
    int best = -1;
    int longest = have;
    for (Map.Entry<Integer, List<ContextEntry>> offer : offers.others(sequence).entrySet()) {
      int common = ContextEntry.common(offer.getValue(), wanted);
      if (common > longest && holds(offer.getKey(), wanted.subList(0, common))) {
        longest = common;
        best = offer.getKey();
      }
    }
    KeptPrefixes.Prefix prefix = kept.find(wanted, longest);
    if (prefix != null) {
      longest = ContextEntry.common(prefix.entries(), wanted);
      best = prefix.sequence();
    }
    return best >= 0 && replace(sequence, best, wanted.subList(0, longest)) ? longest : 0;
  }

  private boolean holds(int sequence, List<ContextEntry> entries) {
    return cells.hasPositionsBefore(sequence, ContextEntry.positionsOf(entries));
  }

  private boolean replace(int sequence, int by, List<ContextEntry> entries) {
    offers.remove(sequence);
    boolean emptied = cells.removeFrom(sequence, 0);
    if (emptied) {
      cells.share(by, sequence, ContextEntry.positionsOf(entries));
    }
    return emptied;
  }

  /** What is kept now. Any thread may ask. */
  KeptUse use() {
    return kept.use();
  }
}
