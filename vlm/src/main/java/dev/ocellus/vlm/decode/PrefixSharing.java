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
 * <p>A sequence offers what it will not take back before saying so, so that others can help
 * themselves while it answers.
 */
final class PrefixSharing {
  /** What a sequence holds, and the position behind it. */
  private record Offer(List<ContextEntry> entries, int end) {}

  private final LlamaContext context;
  private final Map<BatchedSequence, Offer> offers = new HashMap<>(); // guarded by lock
  private final ReentrantLock lock = new ReentrantLock();

  PrefixSharing(LlamaContext context) {
    this.context = context;
  }

  /** Says what a sequence holds. */
  void offer(BatchedSequence sequence, List<ContextEntry> entries) {
    lock.lock();
    try {
      offers.put(sequence, new Offer(List.copyOf(entries), positions(entries)));
    } finally {
      lock.unlock();
    }
  }

  /** Says that a sequence is about to forget what stands at a position and behind it. */
  void withdraw(BatchedSequence sequence, int position) {
    lock.lock();
    try {
      Offer offer = offers.get(sequence);
      if (offer != null && position < offer.end) {
        offers.remove(sequence);
      }
    } finally {
      lock.unlock();
    }
  }

  /**
   * Replaces the content of a sequence by the longest beginning of the entries that another one
   * holds.
   *
   * @param have entries of that beginning that stand in the sequence already
   * @return how many entries stand there now; 0 if nobody has more of them, and then nothing is
   *     changed
   */
  int take(BatchedSequence sequence, List<ContextEntry> wanted, int have) {
    lock.lock();
    try {
      BatchedSequence best = null;
      int longest = have;
      for (Map.Entry<BatchedSequence, Offer> entry : offers.entrySet()) {
        BatchedSequence other = entry.getKey();
        int common = ContextEntry.common(entry.getValue().entries, wanted);
        if (common > longest
            && other != sequence
            && context.hasPositionsBefore(other.id(), positions(wanted.subList(0, common)))) {
          longest = common;
          best = other;
        }
      }
      if (best == null) {
        return 0;
      }
      offers.remove(sequence);
      int end = positions(wanted.subList(0, longest));
      boolean emptied = context.removeFrom(sequence.id(), 0);
      if (!emptied) {
        return 0;
      }
      context.share(best.id(), sequence.id(), end);
      return longest;
    } finally {
      lock.unlock();
    }
  }

  private static int positions(List<ContextEntry> entries) {
    return entries.stream().mapToInt(ContextEntry::positions).sum();
  }
}
