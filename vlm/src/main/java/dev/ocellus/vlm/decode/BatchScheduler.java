package dev.ocellus.vlm.decode;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.compute.ComputationCancelledException;
import dev.ocellus.compute.Turns;
import dev.ocellus.ggml.NativeStack;
import dev.ocellus.llama.Batch;
import dev.ocellus.llama.ContextOverflowException;
import dev.ocellus.llama.LlamaContext;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Computes the work of several sequences together: one thread takes what is there, makes a batch of
 * it, and gives the logits to whoever waits for them, who sample on their own threads.
 *
 * <p>A step is at most a micro-batch long, so that nobody waits longer for a newcomer's prompt than
 * that takes. Tokens of answers are in every step; prompts share the rest of it evenly. Embeddings
 * of images cannot share a batch with tokens, so the two take turns.
 */
final class BatchScheduler implements AutoCloseable {
  /**
   * DecodeRequest of at most this many entries is an answer going on, with draft tokens perhaps.
   */
  private static final int SMALL = 65;

  private static final long MIN_PATIENCE_NANOS = 500_000;
  private static final long MAX_PATIENCE_NANOS = 10_000_000;

  /** The part of a request that is in a step. */
  private record Slice(DecodeRequest request, int count) {}

  private final LlamaContext context;
  private final BooleanSupplier makeRoom;
  private final Batch tokens;
  private @Nullable Batch rows;
  private final Thread thread;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final List<DecodeRequest> pending = new ArrayList<>(); // guarded by lock
  private int nExpected; // sequences that are expected; guarded by lock
  private boolean closed; // guarded by lock
  private volatile @Nullable Turns turns;
  private boolean rowsAreNext;
  private long stepNanos;

  /**
   * @param makeRoom gives up places that nobody needs for an answer, when there are none left;
   *     false if there are no such
   */
  BatchScheduler(LlamaContext context, BooleanSupplier makeRoom) {
    this.context = context;
    this.makeRoom = makeRoom;
    this.tokens = Batch.ofTokens(Math.max(context.nUbatch(), 1));
    this.thread = Thread.ofPlatform().daemon().name("ocellus-decode").unstarted(this::run);
    thread.start();
  }

  /** Adds a request, which tells when it is done. */
  void submit(DecodeRequest request) {
    lock.lock();
    try {
      if (closed) {
        throw closedException();
      }
      arrived(request.sequence);
      pending.add(request);
      changed.signal();
    } finally {
      lock.unlock();
    }
  }

  /** Says that nothing more comes from a sequence for now. */
  void leave(BatchedSequence sequence) {
    lock.lock();
    try {
      arrived(sequence);
      changed.signal();
    } finally {
      lock.unlock();
    }
  }

  private void arrived(BatchedSequence sequence) {
    if (sequence.expected) {
      sequence.expected = false;
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
      List<Slice> step = await();
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
  private List<Slice> await() {
    lock.lock();
    try {
      long patience = Math.clamp(stepNanos / 4, MIN_PATIENCE_NANOS, MAX_PATIENCE_NANOS);
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
    Iterator<DecodeRequest> requests = pending.iterator();
    while (requests.hasNext()) {
      DecodeRequest request = requests.next();
      if (request.flag.isCancelled()) {
        requests.remove();
        request.fail(new ComputationCancelledException("Decoding was cancelled"));
      }
    }
  }

  private List<Slice> select() {
    List<DecodeRequest> images =
        pending.stream().filter(w -> w instanceof DecodeRequest.Embeddings).toList();
    List<DecodeRequest> text =
        pending.stream().filter(w -> w instanceof DecodeRequest.Tokens).toList();
    boolean takeRows = !images.isEmpty() && (rowsAreNext || text.isEmpty());
    rowsAreNext = !takeRows;
    return takeRows ? selectRows(images) : selectTokens(text);
  }

  /** All small request, and an even share of the rest for each prompt. */
  private List<Slice> selectTokens(List<DecodeRequest> requests) {
    List<Slice> step = new ArrayList<>();
    int room = tokens.capacity();
    List<DecodeRequest> prompts = new ArrayList<>();
    for (DecodeRequest request : requests) {
      if (request.remaining() <= SMALL && request.remaining() <= room) {
        step.add(new Slice(request, request.remaining()));
        room -= request.remaining();
      } else {
        prompts.add(request);
      }
    }
    for (int i = 0; i < prompts.size() && room > 0; i++) {
      int share = Math.max(1, room / (prompts.size() - i));
      int count = Math.min(share, prompts.get(i).remaining());
      step.add(new Slice(prompts.get(i), count));
      room -= count;
    }
    return step;
  }

  private List<Slice> selectRows(List<DecodeRequest> requests) {
    List<Slice> step = new ArrayList<>();
    int room = context.nUbatch();
    for (DecodeRequest request : requests) {
      boolean alone = !((DecodeRequest.Embeddings) request).causal;
      if (alone) {
        // the mask is the batch's, so embeddings that attend to each other are decoded by
        // themselves
        return step.isEmpty() ? List.of(new Slice(request, request.remaining())) : step;
      }
      int count = Math.min(room, request.remaining());
      if (count > 0) {
        step.add(new Slice(request, count));
        room -= count;
      }
    }
    return step;
  }

  private void compute(List<Slice> step) {
    long start = System.nanoTime();
    try {
      CancellationFlag flag =
          step.size() == 1 ? step.getFirst().request.flag : new CancellationFlag();
      boolean causal = true;
      Batch batch;
      if (step.getFirst().request instanceof DecodeRequest.Embeddings first) {
        batch = fillRows(step, first);
        causal = first.causal;
      } else {
        batch = fillTokens(step);
      }
      decodeInTurn(batch, causal, flag);
      giveLogits(step);
    } catch (Throwable e) {
      fail(step, e);
      return;
    }
    stepNanos = System.nanoTime() - start;
    finish(step);
  }

  /** Lets steps have the processor in turns with other work. */
  void takeTurns(Turns with) {
    turns = with;
  }

  private void decodeInTurn(Batch batch, boolean causal, CancellationFlag flag) {
    Turns wanted = turns;
    if (wanted == null) {
      decode(batch, causal, flag);
    } else {
      wanted.step(() -> decode(batch, causal, flag));
    }
  }

  private void decode(Batch batch, boolean causal, CancellationFlag flag) {
    boolean done = false;
    while (!done) {
      try {
        context.decode(batch, causal, flag);
        done = true;
      } catch (ContextOverflowException e) { // before anything was computed
        if (!makeRoom.getAsBoolean()) {
          throw e;
        }
      }
    }
  }

  private Batch fillTokens(List<Slice> step) {
    tokens.clear();
    for (Slice slice : step) {
      DecodeRequest.Tokens request = (DecodeRequest.Tokens) slice.request;
      for (int i = request.progress; i < request.progress + slice.count; i++) {
        tokens.add(
            request.ids[i], request.position + i, request.sequence.id(), request.wantsLogits(i));
      }
    }
    return tokens;
  }

  private Batch fillRows(List<Slice> step, DecodeRequest.Embeddings first) {
    Batch batch = rows;
    if (batch == null) {
      batch =
          Batch.ofEmbeddings(context.nUbatch(), first.image.width(), context.model().nPositions());
      rows = batch;
    }
    batch.clear();
    for (Slice slice : step) {
      DecodeRequest.Embeddings request = (DecodeRequest.Embeddings) slice.request;
      for (int i = request.progress; i < request.progress + slice.count; i++) {
        batch.add(
            request.image.values(),
            request.from + i,
            request.positions[i],
            request.sequence.id(),
            request.wantsLogits(i));
      }
    }
    return batch;
  }

  /** Copies logits to where the sequences read them, since the next step overwrites them. */
  private void giveLogits(List<Slice> step) {
    int entry = 0;
    for (Slice slice : step) {
      DecodeRequest request = slice.request;
      int firstOutput = request.count() - request.outputs();
      for (int i = request.progress; i < request.progress + slice.count; i++, entry++) {
        if (request.wantsLogits(i)) {
          context.logits(entry, request.sequence.output(i - firstOutput));
        }
      }
    }
  }

  private void finish(List<Slice> step) {
    lock.lock();
    try {
      for (Slice slice : step) {
        DecodeRequest request = slice.request;
        request.progress += slice.count;
        if (request.remaining() > 0) {
          continue;
        }
        if (request.outputs() > 0) {
          request.sequence.expected = true;
          nExpected++;
        }
        request.complete(); // before it is taken from the list, by which failures find it
        pending.remove(request);
      }
    } finally {
      lock.unlock();
    }
  }

  private void fail(List<Slice> step, Throwable e) {
    lock.lock();
    try {
      step.forEach(slice -> pending.remove(slice.request));
    } finally {
      lock.unlock();
    }
    step.forEach(slice -> slice.request.fail(e));
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
    NativeStack.waitFor(thread); // an interrupt must not free what it computes with
  }
}
