package dev.ocellus.tests.vlm.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.compute.ComputationCancelledException;
import dev.ocellus.ggml.MatMul;
import dev.ocellus.ggml.MatMulObserver;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.vlm.graph.BatchGraph;
import dev.ocellus.vlm.graph.GraphRun;
import dev.ocellus.vlm.graph.GraphRunner;
import dev.ocellus.vlm.graph.ModelGraph;
import dev.ocellus.vlm.graph.RunnerOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Batches whose items are divided among three threads. */
class DividedBatchTest {
  private static final int THREADS = 3;

  @TempDir Path directory;

  private GraphRunner runner;
  private Tensor weight;
  private final AtomicInteger defined = new AtomicInteger();

  @BeforeEach
  void open() throws IOException {
    new GgufWriter()
        .string("general.architecture", "test")
        .tensor("w", new float[] {1, 2, 3, 4}, 2, 2)
        .write(directory.resolve("model.gguf"));
    open(4);
  }

  private void open(int maxPlans) throws IOException {
    var options = RunnerOptions.cpu(THREADS).withMaxPlans(maxPlans);
    runner = GraphRunner.open(directory.resolve("model.gguf"), options);
    weight = runner.weights().get("w", 2, 2);
    runner.load();
  }

  @AfterEach
  void close() {
    runner.close();
  }

  private record Part(int from, int count) {}

  /** Item i is (i, 10); its result is (i + 20, 3 i + 40), plus a table. */
  private class Items implements BatchGraph {
    final float[] results;
    final Queue<Part> parts = new ConcurrentLinkedQueue<>();
    final Queue<Thread> threads = new ConcurrentLinkedQueue<>();

    Items(int n) {
      results = new float[2 * n];
    }

    @Override
    public Object key(int count) {
      return count;
    }

    @Override
    public void define(ModelGraph graph, int count) {
      defined.incrementAndGet();
      Tensor table = graph.table("table", new float[] {0.5f, 0.25f}, 2);
      graph.output("y", graph.input("x", 2, count).mulMat(weight).add(table));
    }

    @Override
    public void compute(GraphRun run, int from, int count, CancellationFlag flag) {
      parts.add(new Part(from, count));
      threads.add(Thread.currentThread());
      float[] x = new float[2 * count];
      for (int i = 0; i < count; i++) {
        x[2 * i] = from + i;
        x[2 * i + 1] = 10;
      }
      run.set("x", x).compute(flag).get("y", 0, 2 * count, results, 2 * from);
    }

    Items run() {
      return run(new CancellationFlag());
    }

    Items run(CancellationFlag flag) {
      runner.run(this, results.length / 2, flag);
      return this;
    }

    void check() {
      float[] expected = new float[results.length];
      for (int i = 0; i < expected.length / 2; i++) {
        expected[2 * i] = i + 20 + 0.5f;
        expected[2 * i + 1] = 3 * i + 40 + 0.25f;
      }
      assertThat(results).containsExactly(expected);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 4, 5, 6, 7, 8, 30})
  void computesEveryItemOnce(int n) {
    new Items(n).run().check();
  }

  @Test
  void givesEveryThreadTheSameShareAndComputesTheRestWithAll() {
    Items items = new Items(8).run();
    items.check();
    assertThat(items.parts)
        .containsExactlyInAnyOrder(new Part(0, 2), new Part(2, 2), new Part(4, 2), new Part(6, 2));
    assertThat(new HashSet<>(items.threads)).hasSize(4).contains(Thread.currentThread());
  }

  @Test
  void doesNotDivideFewerItemsThanThreads() {
    Items items = new Items(2).run();
    items.check();
    assertThat(items.parts).containsExactly(new Part(0, 2));
    assertThat(items.threads).containsExactly(Thread.currentThread());
  }

  /** All shares at once: each waits for the others before it computes. */
  @Test
  void computesSharesAtTheSameTime() {
    var started = new CountDownLatch(THREADS);
    new Items(6) {
      @Override
      public void compute(GraphRun run, int from, int count, CancellationFlag flag) {
        started.countDown();
        await(started);
        super.compute(run, from, count, flag);
      }
    }.run().check();
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void definesAGraphOnceForEachShareOfASize() {
    new Items(7).run().check();
    assertThat(defined).hasValue(THREADS + 1);
    new Items(7).run().check();
    new Items(6).run().check();
    new Items(1).run().check();
    assertThat(defined).hasValue(THREADS + 1);
  }

  @Test
  void throwsWhatTheFirstShareThrewWhenTheOthersHaveEnded() {
    var error = new OutOfMemoryError("of the test");
    var ended = new AtomicInteger();
    var failing =
        new Items(6) {
          @Override
          public void compute(GraphRun run, int from, int count, CancellationFlag flag) {
            if (from == 2) {
              throw error;
            }
            while (!flag.isCancelled()) { // by that error
              Thread.onSpinWait();
            }
            ended.incrementAndGet();
            super.compute(run, from, count, flag);
          }
        };
    assertThatThrownBy(failing::run).isSameAs(error);
    assertThat(ended).hasValue(2);
    new Items(6).run().check();
    assertThat(defined).hasValue(2 * THREADS); // anew after what failed
  }

  @Test
  void stopsAllSharesWhenCancelled() {
    var flag = new CancellationFlag();
    var cancelling =
        new Items(6) {
          @Override
          public void compute(GraphRun run, int from, int count, CancellationFlag own) {
            if (from == 4) {
              flag.cancel();
            }
            while (!own.isCancelled()) {
              Thread.onSpinWait();
            }
            super.compute(run, from, count, own);
          }
        };
    assertThatThrownBy(() -> cancelling.run(flag))
        .isInstanceOf(ComputationCancelledException.class);
    assertThatThrownBy(() -> new Items(6).run(flag)) // it is set already
        .isInstanceOf(ComputationCancelledException.class);
    flag.reset();
    new Items(6).run(flag).check();
  }

  @Test
  void waitsThoughInterrupted() {
    Thread.currentThread().interrupt();
    Items items = new Items(6).run();
    assertThat(Thread.interrupted()).isTrue();
    items.check();
  }

  @Test
  void refusesARunWithinARun() {
    try (GraphRun run = runner.start(1, graph -> new Items(1).define(graph, 1))) {
      assertThatThrownBy(() -> new Items(6).run()).hasMessageContaining("close it first");
      assertThat(run.set("x", new float[] {0, 10}).compute().get("y")).hasSize(2);
    }
    new Items(6).run().check();
  }

  /** Two products at once are more than an observer bargains for. */
  @Test
  void doesNotDivideWhatIsObserved() {
    new Items(6).run().check();
    Set<Thread> seen = new HashSet<>();
    runner.observe(
        new MatMulObserver() {
          @Override
          public boolean wants(MatMul matMul) {
            return true;
          }

          @Override
          public void observe(MatMul matMul) {
            seen.add(Thread.currentThread());
          }
        });
    Items items = new Items(6).run();
    items.check();
    assertThat(items.parts).containsExactly(new Part(0, 6));
    assertThat(seen).hasSize(1);
    assertThat(runner.nShares()).isEqualTo(1);
  }

  @Test
  void holdsMemoryOfNoMoreGraphsThanItMay() throws IOException {
    long[] whole = new long[2];
    for (int i = 0; i < 2; i++) {
      runner.close();
      open(1);
      if (i == 1) {
        new Items(300).run().check();
        assertThat(runner.bufferBytes()).isPositive();
      }
      new Items(2).run().check();
      whole[i] = runner.bufferBytes();
    }
    assertThat(whole[1]).isPositive().isEqualTo(whole[0]);
    new Items(8).run().check();
    new Items(8).run().check();
    assertThat(runner.bufferBytes()).isEqualTo(whole[0]); // of the last two
  }

  @Test
  void isRefusedAfterClosing() {
    new Items(6).run().check();
    runner.close();
    assertThatThrownBy(() -> new Items(6).run()).hasMessageContaining("closed");
  }

  @Test
  void letsThreadsWaitForEachOther() throws InterruptedException {
    Queue<Throwable> failures = new ConcurrentLinkedQueue<>();
    Thread[] threads = new Thread[3];
    for (int t = 0; t < threads.length; t++) {
      int n = 4 + t;
      threads[t] =
          Thread.ofPlatform()
              .start(() -> {
                try {
                  for (int i = 0; i < 30; i++) {
                    new Items(n).run().check();
                  }
                } catch (Throwable e) {
                  failures.add(e);
                }
              });
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertThat(failures).isEmpty();
  }
}
