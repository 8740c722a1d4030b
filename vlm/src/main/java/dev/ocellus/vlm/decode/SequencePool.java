package dev.ocellus.vlm.decode;

import dev.ocellus.compute.Turns;
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

  /** Lets steps have the processor in turns with the encoding of images, where both want it. */
  default void takeTurns(Turns turns) {}

  /** Beginnings of conversations that are kept besides. Any thread may ask. */
  default KeptUse kept() {
    return KeptUse.NONE;
  }

  /** Stops what is being computed and frees the sequences. */
  @Override
  void close();
}
