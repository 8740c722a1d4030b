package dev.ocellus.tests.vlm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.compute.ComputationCancelledException;
import dev.ocellus.ggml.MatMul;
import dev.ocellus.ggml.MatMulObserver;
import dev.ocellus.llama.LlamaModel;
import dev.ocellus.llama.ModelOptions;
import dev.ocellus.vlm.decode.KvSequence;
import dev.ocellus.vlm.decode.LlamaDecoder;
import dev.ocellus.vlm.decode.SequencePool;
import java.io.IOException;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What goes wrong on the thread that decodes for several sessions. */
@Timeout(60)
class BatchSchedulerTest {
  private static final int[] TOKENS = {1, 2, 3, 4};
  private static final Error ERROR = new OutOfMemoryError("of the decode thread");
  private static final CancellationFlag NEVER = new CancellationFlag();

  /** Throws on the decode thread when told to. */
  private static MatMulObserver observer(AtomicBoolean fails) {
    return new MatMulObserver() {
      @Override
      public boolean wants(MatMul matMul) {
        if (fails.get()) {
          throw ERROR;
        }
        return false;
      }

      @Override
      public void observe(MatMul matMul) {}
    };
  }

  @Test
  void tellsWhoWaitsOfAnErrorAndGoesOn() throws IOException {
    AtomicBoolean fails = new AtomicBoolean();
    try (var decoder = new LlamaDecoder(LlamaModel.load(Golden.TEXT, ModelOptions.defaults()));
        SequencePool pool = decoder.newPool(2, Golden.context(64), observer(fails))) {
      KvSequence first = pool.sequences().get(0);
      KvSequence second = pool.sequences().get(1);
      first.decodeTokens(TOKENS, 0, TOKENS.length, 0, 1, NEVER);
      float[] expected = first.logits(0).clone();

      fails.set(true);
      assertThatThrownBy(() -> second.decodeTokens(TOKENS, 0, TOKENS.length, 0, 1, NEVER))
          .isSameAs(ERROR);

      fails.set(false);
      second.removeFrom(0);
      second.decodeTokens(TOKENS, 0, TOKENS.length, 0, 1, NEVER);
      assertThat(second.logits(0)).isEqualTo(expected);
    }
  }

  /** Keeps the decode thread in a computation until somebody who closes waits for it. */
  private static final class Held implements MatMulObserver {
    final Thread closer = Thread.currentThread();
    final CountDownLatch computes = new CountDownLatch(1);
    volatile @Nullable Thread thread;
    volatile boolean closing;
    volatile boolean closed;

    @Override
    public boolean wants(MatMul matMul) {
      thread = Thread.currentThread();
      computes.countDown();
      while (!closed && !(closing && closer.getState() == Thread.State.WAITING)) {
        Thread.onSpinWait();
      }
      return false;
    }

    @Override
    public void observe(MatMul matMul) {}
  }

  @RepeatedTest(3)
  void endsBeforeItIsClosedThoughWhoClosesIsInterrupted() throws Exception {
    var held = new Held();
    try (var decoder = new LlamaDecoder(LlamaModel.load(Golden.TEXT, ModelOptions.defaults()));
        SequencePool pool = decoder.newPool(2, Golden.context(64), held)) {
      KvSequence sequence = pool.sequences().getFirst();
      CompletableFuture<Void> session =
          CompletableFuture.runAsync(
              () -> sequence.decodeTokens(TOKENS, 0, TOKENS.length, 0, 1, new CancellationFlag()));
      held.computes.await();
      Thread decoding = Objects.requireNonNull(held.thread);
      Thread.currentThread().interrupt();
      held.closing = true;
      pool.close();
      boolean ended = !decoding.isAlive();
      held.closed = true;
      assertThat(Thread.interrupted()).isTrue();
      assertThat(ended).isTrue();
      assertThatThrownBy(session::join)
          .cause()
          .isInstanceOfAny(ComputationCancelledException.class, IllegalStateException.class);
    }
  }
}
