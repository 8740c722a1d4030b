package dev.ocellus.vlm.decode;

import java.util.List;

/** Sequences that are computed one by one, each on its caller's thread. */
record IndependentPool(List<KvSequence> sequences) implements SequencePool {
  IndependentPool {
    sequences = List.copyOf(sequences);
  }

  @Override
  public void pause(KvSequence sequence) {
    // nobody waits for it
  }

  @Override
  public void close() {
    sequences.forEach(KvSequence::close);
  }
}
