package dev.ocellus.vlm.decode;

import java.util.List;

/**
 * Sequences for several conversations at the same time, each for one thread at a time. Whether they
 * are computed together is the decoder's affair.
 */
public interface SequencePool extends AutoCloseable {
  /** The sequences; always the same. */
  List<KvSequence> sequences();

  /**
   * Says that nothing more comes from a sequence for now, so that the others do not wait for it.
   */
  void pause(KvSequence sequence);

  /** Beginnings of conversations that are kept besides. Any thread may ask. */
  default KeptUse kept() {
    return KeptUse.NONE;
  }

  /** Stops what is being computed and frees the sequences. */
  @Override
  void close();
}
