package dev.ocellus.vlm.decode;

import dev.ocellus.llama.ContextOverflowException;

/** What sequences that are computed by graphs check before they take entries. */
final class SequenceRoom {
  private SequenceRoom() {}

  /**
   * Refuses entries that do not stand behind the others.
   *
   * @param position of the first
   * @param used entries that stand there
   */
  static void requireNext(int position, int used) {
    if (position != used) {
      throw new IllegalArgumentException(
          "position: expected %d, behind what stands in the sequence, found %d"
              .formatted(used, position));
    }
  }

  /**
   * Refuses entries that have no place.
   *
   * @param used entries that stand there
   * @param count more of them
   */
  static void require(int used, int count, int nCtx) {
    if (used + count > nCtx) {
      throw overflow(used, count, nCtx);
    }
  }

  static ContextOverflowException overflow(int used, int count, int nCtx) {
    return new ContextOverflowException(
        ContextOverflowException.Kind.CONTEXT,
        used + count,
        nCtx,
        "The context of %d tokens has no room for %d more. Use a larger context or a shorter conversation."
            .formatted(nCtx, count));
  }
}
