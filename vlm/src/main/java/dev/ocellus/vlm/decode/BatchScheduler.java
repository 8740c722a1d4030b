package dev.ocellus.vlm.decode;

import dev.ocellus.ggml.CancellationFlag;
import dev.ocellus.ggml.ComputationCancelledException;
import dev.ocellus.llama.Batch;
import dev.ocellus.llama.LlamaContext;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Computes the work of several lanes together: one thread takes what is there, makes a batch of it,
 * and gives the logits to whoever waits for them, who sample on their own threads.
 *
 * <p>A step is at most a micro-batch long, so that nobody waits longer for a newcomer's prompt than
 * that takes. Tokens of answers are in every step; prompts share the rest of it evenly. Rows of
 * images cannot share a batch with tokens, so the two take turns.
 */
public final class BatchScheduler implements AutoCloseable {
  /** DecodeRequest of at most this many entries is an answer going on, with guesses perhaps. */
  private static final int SMALL = 65;

  private static final long LEAST_PATIENCE_NANOS = 500_000;
  private static final long MOST_PATIENCE_NANOS = 10_000_000;

  /** A part of a work that is in a step. */
  private record Part(DecodeRequest work, int count) {}

  private final LlamaContext context;
  private final Batch tokens;
  private @Nullable Batch rows;
  private final Thread thread;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final List<DecodeRequest> pending = new ArrayList<>(); // guarded by lock
  private int nExpected; // lanes that are expected; guarded by lock
  private boolean closed; // guarded by lock
  private boolean rowsAreNext;
  private long stepNanos;

  public BatchScheduler(LlamaContext context) {
    this.context = context;
    this.tokens = Batch.ofTokens(Math.max(context.nUbatch(), 1));
    this.thread = Thread.ofPlatform().daemon().name("ocellus-decode").unstarted(this::run);
    thread.start();
  }

  /** Adds work, which tells when it is done. */
  void submit(DecodeRequest work) {
    lock.lock();
    try {
      if (closed) {
        throw closedException();
      }
      arrived(work.lane);
      pending.add(work);
      changed.signal();
    } finally {
      lock.unlock();
    }
  }

  /** Says that nothing more comes from a lane for now. */
  public void leave(KvSequence lane) {
    lock.lock();
    try {
      arrived((BatchedSequence) lane);
      changed.signal();
    } finally {
      lock.unlock();
    }
  }

  private void arrived(BatchedSequence lane) {
    if (lane.expected) {
      lane.expected = false;
      nExpected--;
    }
  }

  private void run() {
    try {
      boolean more = true;
      while (more) {
        more = step();
      }
    } finally {
      end();
    }
  }

  /** Waits for work and computes a step of it; false when this was closed. */
  private boolean step() {
    try {
      List<Part> step = await();
      if (step.isEmpty()) {
        return false;
      }
      compute(step);
    } catch (Throwable e) { // such as no memory for a step: whoever waits is told, and it goes on
      failAll(e);
    }
    return true;
  }

  /** The next step; empty when this was closed. */
  private List<Part> await() {
    lock.lock();
    try {
      long patience = Math.clamp(stepNanos / 4, LEAST_PATIENCE_NANOS, MOST_PATIENCE_NANOS);
      while (!closed) {
        dropCancelled();
        if (pending.isEmpty()) {
          changed.awaitUninterruptibly();
        } else if (nExpected > 0 && patience > 0) {
          // those of the last step are sampling; a batch with them is worth a moment
          patience = awaitNanos(patience);
        } else {
          return select();
        }
      }
      return List.of();
    } finally {
      lock.unlock();
    }
  }

  @SuppressWarnings("WaitNotInLoop") // the loop is the caller's
  private long awaitNanos(long nanos) {
    try {
      return changed.awaitNanos(nanos);
    } catch (InterruptedException e) {
      return 0; // nobody interrupts this thread on purpose
    }
  }

  private void dropCancelled() {
    Iterator<DecodeRequest> works = pending.iterator();
    while (works.hasNext()) {
      DecodeRequest work = works.next();
      if (work.flag.isCancelled()) {
        works.remove();
        work.fail(new ComputationCancelledException("Decoding was cancelled"));
      }
    }
  }

  private List<Part> select() {
    List<DecodeRequest> images =
        pending.stream().filter(w -> w instanceof DecodeRequest.Rows).toList();
    List<DecodeRequest> text =
        pending.stream().filter(w -> w instanceof DecodeRequest.Tokens).toList();
    boolean takeRows = !images.isEmpty() && (rowsAreNext || text.isEmpty());
    rowsAreNext = !takeRows;
    return takeRows ? selectRows(images) : selectTokens(text);
  }

  /** All small work, and an even share of the rest for each prompt. */
  private List<Part> selectTokens(List<DecodeRequest> works) {
    List<Part> step = new ArrayList<>();
    int room = tokens.capacity();
    List<DecodeRequest> prompts = new ArrayList<>();
    for (DecodeRequest work : works) {
      if (work.remaining() <= SMALL && work.remaining() <= room) {
        step.add(new Part(work, work.remaining()));
        room -= work.remaining();
      } else {
        prompts.add(work);
      }
    }
    for (int i = 0; i < prompts.size() && room > 0; i++) {
      int share = Math.max(1, room / (prompts.size() - i));
      int count = Math.min(share, prompts.get(i).remaining());
      step.add(new Part(prompts.get(i), count));
      room -= count;
    }
    return step;
  }

  private List<Part> selectRows(List<DecodeRequest> works) {
    List<Part> step = new ArrayList<>();
    int room = context.nUbatch();
    for (DecodeRequest work : works) {
      boolean alone = ((DecodeRequest.Rows) work).seeEachOther;
      if (alone) {
        // the mask is the batch's, so rows that see each other are decoded by themselves
        return step.isEmpty() ? List.of(new Part(work, work.remaining())) : step;
      }
      int count = Math.min(room, work.remaining());
      if (count > 0) {
        step.add(new Part(work, count));
        room -= count;
      }
    }
    return step;
  }

  private void compute(List<Part> step) {
    long start = System.nanoTime();
    try {
      CancellationFlag flag = step.size() == 1 ? step.getFirst().work.flag : new CancellationFlag();
      boolean causal = true;
      Batch batch;
      if (step.getFirst().work instanceof DecodeRequest.Rows first) {
        batch = fillRows(step, first);
        causal = !first.seeEachOther;
      } else {
        batch = fillTokens(step);
      }
      context.decode(batch, causal, flag);
      giveLogits(step);
    } catch (Throwable e) {
      fail(step, e);
      return;
    }
    stepNanos = System.nanoTime() - start;
    finish(step);
  }

  private Batch fillTokens(List<Part> step) {
    tokens.clear();
    for (Part part : step) {
      DecodeRequest.Tokens work = (DecodeRequest.Tokens) part.work;
      for (int i = work.progress; i < work.progress + part.count; i++) {
        tokens.add(work.ids[i], work.position + i, work.lane.sequence(), work.wantsLogits(i));
      }
    }
    return tokens;
  }

  private Batch fillRows(List<Part> step, DecodeRequest.Rows first) {
    Batch batch = rows;
    if (batch == null) {
      batch =
          Batch.ofEmbeddings(context.nUbatch(), first.image.width(), context.model().nPositions());
      rows = batch;
    }
    batch.clear();
    for (Part part : step) {
      DecodeRequest.Rows work = (DecodeRequest.Rows) part.work;
      for (int i = work.progress; i < work.progress + part.count; i++) {
        batch.add(
            work.image.rows(),
            work.from + i,
            work.positions[i],
            work.lane.sequence(),
            work.wantsLogits(i));
      }
    }
    return batch;
  }

  /** Copies logits to where the lanes read them, since the next step overwrites them. */
  private void giveLogits(List<Part> step) {
    int entry = 0;
    for (Part part : step) {
      DecodeRequest work = part.work;
      int firstOutput = work.count() - work.outputs();
      for (int i = work.progress; i < work.progress + part.count; i++, entry++) {
        if (work.wantsLogits(i)) {
          context.logits(entry, work.lane.output(i - firstOutput));
        }
      }
    }
  }

  private void finish(List<Part> step) {
    lock.lock();
    try {
      for (Part part : step) {
        DecodeRequest work = part.work;
        work.progress += part.count;
        if (work.remaining() > 0) {
          continue;
        }
        if (work.outputs() > 0) {
          work.lane.expected = true;
          nExpected++;
        }
        work.complete(); // before it is taken from the list, by which failures find it
        pending.remove(work);
      }
    } finally {
      lock.unlock();
    }
  }

  private void fail(List<Part> step, Throwable e) {
    lock.lock();
    try {
      step.forEach(part -> pending.remove(part.work));
    } finally {
      lock.unlock();
    }
    step.forEach(part -> part.work.fail(e));
  }

  private void failAll(Throwable e) {
    lock.lock();
    try {
      for (int i = 0; i < pending.size(); i++) {
        pending.get(i).fail(e);
      }
      pending.clear();
    } finally {
      lock.unlock();
    }
  }

  private static IllegalStateException closedException() {
    return new IllegalStateException("The model of this session has been closed");
  }

  private void end() {
    lock.lock();
    try {
      closed = true;
      failAll(closedException());
    } finally {
      lock.unlock();
    }
    tokens.close();
    if (rows != null) {
      rows.close();
    }
  }

  /** Stops the thread; work that is waiting fails. */
  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      changed.signal();
    } finally {
      lock.unlock();
    }
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
