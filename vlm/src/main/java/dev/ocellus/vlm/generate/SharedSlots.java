package dev.ocellus.vlm.generate;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.vlm.chat.ContextUse;
import dev.ocellus.vlm.decode.KeptUse;
import dev.ocellus.vlm.decode.KvSequence;
import dev.ocellus.vlm.decode.SequencePool;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The sequences of a pool, lent to sessions for the time of an answer. A session finds its
 * conversation again as long as nobody else needed the place; those used longest ago are taken
 * first. Whoever waits is served in the order of coming.
 */
@SuppressWarnings("ReferenceEquality") // who owns a slot is a matter of identity
public final class SharedSlots implements Slots {
  private static final long LOOK_AT_FLAG_MILLIS = 20;

  private final SequencePool pool;
  private final int nCtx;
  private final List<Slot> all = new ArrayList<>();
  private final List<Slot> idle = new ArrayList<>(); // guarded by lock, as are the slots' holders
  private final ReentrantLock lock = new ReentrantLock(true);
  private final Condition released = lock.newCondition();
  private long clock; // guarded by lock
  private final Deque<Object> waiting = new ArrayDeque<>(); // guarded by lock
  private boolean closed; // guarded by lock

  /**
   * @param pool closed with this
   * @param generators makes what answers in a sequence
   */
  SharedSlots(SequencePool pool, Function<KvSequence, AnswerGenerator> generators) {
    this.pool = pool;
    this.nCtx = pool.sequences().getFirst().nCtx();
    pool.sequences().forEach(sequence -> all.add(new Slot(generators.apply(sequence))));
    idle.addAll(all);
  }

  @Override
  public int nCtx() {
    return nCtx;
  }

  @Override
  public @Nullable Slot acquire(@Nullable Slot preferred, Object owner, CancellationFlag flag) {
    lock.lock();
    try {
      if (isHolding()) {
        return takeWithoutWaiting(preferred, owner);
      }
      Object me = new Object();
      waiting.add(me);
      try {
        while (waiting.peekFirst() != me || idle.isEmpty()) {
          requireOpen();
          if (flag.isCancelled()) {
            return null;
          }
          awaitRelease();
        }
        requireOpen();
        return take(preferred, owner);
      } finally {
        waiting.remove(me);
        released.signalAll(); // the next one in line looks again
      }
    } finally {
      lock.unlock();
    }
  }

  private boolean isHolding() {
    Thread me = Thread.currentThread();
    return all.stream().anyMatch(slot -> slot.holder() == me);
  }

  /** For a listener that asks another session: one that waits for others may be waited for. */
  private Slot takeWithoutWaiting(@Nullable Slot preferred, Object owner) {
    requireOpen();
    if (idle.isEmpty()) {
      throw new IllegalStateException(
          "A listener asked another session while its own answer is being generated, and none of the %d parallel sequences is free. Open the model with more parallel sequences, or ask when the answer is complete."
              .formatted(all.size()));
    }
    return take(preferred, owner);
  }

  @SuppressWarnings("WaitNotInLoop") // the loop is the caller's
  private void awaitRelease() {
    try {
      boolean unused = released.await(LOOK_AT_FLAG_MILLIS, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("Interrupted while waiting for a free sequence", e);
    }
  }

  private Slot take(@Nullable Slot preferred, Object owner) {
    Slot slot = preferred;
    if (slot == null || slot.owner() != owner || !idle.contains(slot)) {
      slot = null;
      for (Slot candidate : idle) {
        if (candidate.owner() == null) {
          slot = candidate;
          break;
        }
      }
      if (slot == null) {
        slot = idle.stream().min(Comparator.comparingLong(Slot::lastUse)).orElseThrow();
      }
      // what stands there may be another conversation's; what both begin with is still of use
      slot.generator().cache().markBorrowed();
      slot.setOwner(owner);
    }
    slot.setHolder(Thread.currentThread());
    idle.remove(slot);
    return slot;
  }

  @Override
  public void release(Slot slot) {
    lock.lock();
    try {
      pool.pause(slot.generator().sequence());
      slot.setHolder(null);
      slot.setLastUse(++clock);
      idle.add(slot);
      released.signalAll();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public ContextUse use() {
    lock.lock();
    try {
      KeptUse kept = pool.kept();
      return new ContextUse(all.stream().map(Slot::use).toList(), kept.prefixes(), kept.places());
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void forget(Object owner) {
    lock.lock();
    try {
      all.stream().filter(slot -> slot.owner() == owner).forEach(slot -> slot.setOwner(null));
    } finally {
      lock.unlock();
    }
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("The model of this session has been closed");
    }
  }

  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      released.signalAll();
    } finally {
      lock.unlock();
    }
    pool.close();
    all.forEach(slot -> slot.generator().close());
  }
}
