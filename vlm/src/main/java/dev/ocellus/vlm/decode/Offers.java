package dev.ocellus.vlm.decode;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What sequences hold and will not take back before saying so, so that others can begin with it.
 * Guarded by a lock of its owner.
 *
 * @param <K> what stands for a sequence
 */
final class Offers<K> {
  /** Entries from the beginning on, and the position behind them. */
  private record Offer(List<ContextEntry> entries, int end) {}

  private final Map<K, Offer> bySequence = new HashMap<>();

  /** Says what a sequence holds, in place of what it said before. */
  void put(K sequence, List<ContextEntry> entries) {
    bySequence.put(sequence, new Offer(List.copyOf(entries), ContextEntry.positionsOf(entries)));
  }

  /** Says that a sequence is about to forget what stands at a position and behind it. */
  void withdraw(K sequence, int position) {
    Offer offer = bySequence.get(sequence);
    if (offer != null && position < offer.end) {
      bySequence.remove(sequence);
    }
  }

  /** Says that a sequence holds nothing any more. */
  void remove(K sequence) {
    bySequence.remove(sequence);
  }

  /** What a sequence holds; null for nothing that others may have. */
  @Nullable List<ContextEntry> of(K sequence) {
    Offer offer = bySequence.get(sequence);
    return offer == null ? null : offer.entries;
  }

  /** What all sequences but one hold. */
  Map<K, List<ContextEntry>> others(K sequence) {
    Map<K, List<ContextEntry>> others = new HashMap<>();
    bySequence.forEach((each, offer) -> {
      if (!each.equals(sequence)) {
        others.put(each, offer.entries);
      }
    });
    return others;
  }
}
