package dev.ocellus.vlm.generate;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.vlm.chat.ContextUse;
import org.jspecify.annotations.Nullable;

/** Gives sessions a sequence to answer in. */
public interface Slots extends AutoCloseable {
  /** Tokens that a conversation can have. */
  int nCtx();

  /**
   * A slot for one answer, if possible the one in which the session's conversation stands; waits
   * until one is free.
   *
   * @param preferred where the session answered last
   * @return null if the flag was set while waiting
   * @throws IllegalStateException if the context has been closed
   */
  @Nullable Slot acquire(@Nullable Slot preferred, Object owner, CancellationFlag flag);

  /** Gives a slot back; what stands in it stays until somebody else needs it. */
  void release(Slot slot);

  /** What stands in sequences that sessions share. Any thread may ask. */
  default ContextUse use() {
    return ContextUse.NONE;
  }

  /** The session will not come back. */
  void forget(Object owner);

  @Override
  void close();

  /** A slot for one session alone. */
  static Slots single(AnswerGenerator generator) {
    Slot slot = new Slot(generator);
    return new Slots() {
      @Override
      public int nCtx() {
        return generator.sequence().nCtx();
      }

      @Override
      public Slot acquire(@Nullable Slot preferred, Object owner, CancellationFlag flag) {
        slot.setOwner(owner);
        return slot;
      }

      @Override
      public void release(Slot released) {}

      @Override
      public void forget(Object owner) {
        close();
      }

      @Override
      public void close() {
        generator.close();
      }
    };
  }
}
