package dev.ocellus.vlm.decode;

import dev.ocellus.llama.LlamaContext;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Lets a conversation take over what another sequence of the same context has computed already,
 * such as a system prompt or an image that both begin with. The cells are not copied: they belong
 * to both sequences from then on, and live as long as one of them does.
 *
 * <p>A lane offers what it will not take back before saying so, so that others can help themselves
 * while it answers.
 */
public final class PrefixSharing {
  /** What a lane holds, and the position behind it. */
  private record Offer(List<ContextEntry> entries, int end) {}

  private final LlamaContext context;
  private final Map<BatchedSequence, Offer> offers = new HashMap<>(); // guarded by lock
  private final ReentrantLock lock = new ReentrantLock();

  public PrefixSharing(LlamaContext context) {
    this.context = context;
  }

  /** Says what a lane holds. */
  void offer(BatchedSequence lane, List<ContextEntry> entries) {
    lock.lock();
    try {
      offers.put(lane, new Offer(List.copyOf(entries), positions(entries)));
    } finally {
      lock.unlock();
    }
  }

  /** Says that a lane is about to forget what stands at a position and behind it. */
  void withdraw(BatchedSequence lane, int position) {
    lock.lock();
    try {
      Offer offer = offers.get(lane);
      if (offer != null && position < offer.end) {
        offers.remove(lane);
      }
    } finally {
      lock.unlock();
    }
  }

  /**
   * Replaces the content of a lane by the longest beginning of the entries that another one holds.
   *
   * @param have entries of that beginning that stand in the lane already
   * @return how many entries stand there now; 0 if nobody has more of them, and then nothing is
   *     changed
   */
  int take(BatchedSequence lane, List<ContextEntry> wanted, int have) {
    lock.lock();
    try {
      BatchedSequence best = null;
      int most = have;
      for (Map.Entry<BatchedSequence, Offer> entry : offers.entrySet()) {
        BatchedSequence other = entry.getKey();
        int common = ContextEntry.common(entry.getValue().entries, wanted);
        if (common > most
            && other != lane
            && context.hasPositionsBefore(other.sequence(), positions(wanted.subList(0, common)))) {
          most = common;
          best = other;
        }
      }
      if (best == null) {
        return 0;
      }
      offers.remove(lane);
      int end = positions(wanted.subList(0, most));
      boolean emptied = context.removeFrom(lane.sequence(), 0);
      if (!emptied) {
        return 0;
      }
      context.share(best.sequence(), lane.sequence(), end);
      return most;
    } finally {
      lock.unlock();
    }
  }

  private static int positions(List<ContextEntry> entries) {
    return entries.stream().mapToInt(ContextEntry::positions).sum();
  }
}
