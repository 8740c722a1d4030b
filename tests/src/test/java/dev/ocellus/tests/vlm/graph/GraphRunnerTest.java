package dev.ocellus.tests.vlm.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.compute.ComputationCancelledException;
import dev.ocellus.ggml.MatMul;
import dev.ocellus.ggml.MatMulObserver;
import dev.ocellus.ggml.PersistentTensors;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.gguf.TensorType;
import dev.ocellus.vlm.graph.GraphDefinition;
import dev.ocellus.vlm.graph.GraphRun;
import dev.ocellus.vlm.graph.GraphRunner;
import dev.ocellus.vlm.graph.RunnerOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GraphRunnerTest {
  @TempDir Path directory;

  private GraphRunner runner;
  private Tensor weight;
  private int defined;

  @BeforeEach
  void open() throws IOException {
    Path file = directory.resolve("model.gguf");
    new GgufWriter()
        .string("general.architecture", "test")
        .tensor("w", new float[] {1, 2, 3, 4}, 2, 2)
        .write(file);
    runner = GraphRunner.open(file, RunnerOptions.cpu(1).withMaxPlans(2));
    weight = runner.weights().get("w", 2, 2);
    runner.load();
  }

  @AfterEach
  void close() {
    runner.close();
  }

  /** Products of {@code n} rows with the weight, plus a table. */
  private GraphDefinition products(int n) {
    return graph -> {
      defined++;
      Tensor table = graph.table("table", new float[] {0.5f, 0.25f}, 2);
      graph.output("y", graph.input("x", 2, n).mulMat(weight).named("product").add(table));
    };
  }

  private float[] run(int n, float... x) {
    try (GraphRun run = runner.start(n, products(n))) {
      return run.set("x", x).compute().get("y");
    }
  }

  @Test
  void definesAGraphOnceForAShape() {
    assertThat(run(1, 1, 10)).containsExactly(21.5f, 43.25f);
    assertThat(run(2, 1, 0, 0, 1)).containsExactly(1.5f, 3.25f, 2.5f, 4.25f);
    assertThat(run(1, 1, 1)).containsExactly(3.5f, 7.25f);
    assertThat(run(2, 1, 0, 0, 1)).containsExactly(1.5f, 3.25f, 2.5f, 4.25f);
    assertThat(defined).isEqualTo(2);
  }

  @Test
  void keepsTheGraphsThatWereUsedLast() {
    run(1, 1, 1);
    run(2, 1, 1, 1, 1);
    run(1, 1, 1);
    run(3, 1, 1, 1, 1, 1, 1); // in the place of two rows
    run(1, 1, 1);
    assertThat(defined).isEqualTo(3);
    assertThat(run(2, 1, 0, 0, 1)).containsExactly(1.5f, 3.25f, 2.5f, 4.25f);
    assertThat(defined).isEqualTo(4);
  }

  /** ggml gives an input that no node reads no place, and ends the process when it is filled. */
  @Test
  void takesValuesThatNothingReads() {
    GraphDefinition definition =
        graph -> {
          graph.input("unread", 3);
          graph.indices("unread numbers", 2, 5);
          graph.output("y", graph.input("x", 2, 1).mulMat(weight));
        };
    for (int i = 0; i < 2; i++) { // the second time from the plan
      try (GraphRun run = runner.start("unread", definition)) {
        run.set("x", new float[] {1, 10}).set("unread", new float[3]);
        run.set("unread numbers", new int[] {4, 0});
        assertThat(run.compute().get("y")).containsExactly(21, 43);
        assertThatThrownBy(() -> run.set("unread", new float[2])).hasMessageContaining("2 floats");
      }
    }
  }

  @Test
  void readsFromPartsOfArraysIntoPartsOfArrays() {
    try (GraphRun run = runner.start(1, products(1))) {
      run.set("x", new float[] {9, 1, 10, 9}, 1).compute();
      assertThat(run.shape("y")).containsExactly(2, 1, 1, 1);
      float[] found = new float[3];
      run.get("y", 1, 1, found, 1);
      assertThat(found).containsExactly(0, 43.25f, 0);
    }
  }

  @Test
  void isUsableAfterAnythingThatWasThrown() {
    var error = new OutOfMemoryError("of the test");
    assertThatThrownBy(() ->
            runner.start(
                1,
                graph -> {
                  throw error;
                }))
        .isSameAs(error);
    assertThat(run(1, 1, 10)).containsExactly(21.5f, 43.25f);
    try (GraphRun run = runner.start(1, products(1))) {
      assertThatThrownBy(() -> run.set("x", new float[3])).hasMessageContaining("3 floats");
      assertThatThrownBy(run::compute).hasMessageContaining("has failed");
    }
    assertThat(run(1, 1, 10)).containsExactly(21.5f, 43.25f);
    assertThat(defined).isEqualTo(2); // anew after the failed run
  }

  @Test
  void isUsableAfterAnErrorWithinTheComputation() {
    run(1, 1, 1);
    var failing = new boolean[] {true};
    runner.observe(
        new MatMulObserver() {
          @Override
          public boolean wants(MatMul matMul) {
            return true;
          }

          @Override
          public void observe(MatMul matMul) {
            if (failing[0]) {
              throw new OutOfMemoryError("of the test");
            }
          }
        });
    assertThatThrownBy(() -> run(1, 1, 10)).hasStackTraceContaining("of the test");
    failing[0] = false;
    assertThat(run(1, 1, 10)).containsExactly(21.5f, 43.25f);
    assertThat(run(2, 1, 0, 0, 1)).containsExactly(1.5f, 3.25f, 2.5f, 4.25f);
  }

  @Test
  void stopsWhenCancelled() {
    var flag = new CancellationFlag();
    flag.cancel();
    try (GraphRun run = runner.start(1, products(1))) {
      run.set("x", new float[2]);
      assertThatThrownBy(() -> run.compute(flag)).isInstanceOf(ComputationCancelledException.class);
    }
    assertThat(run(1, 1, 10)).containsExactly(21.5f, 43.25f);
  }

  @Test
  void asksForEveryInput() {
    try (GraphRun run = runner.start(1, products(1))) {
      assertThatThrownBy(run::compute).hasMessageContaining("have not been set: [x]");
    }
    try (GraphRun run = runner.start(1, products(1))) {
      assertThatThrownBy(() -> run.set("pixels", new float[2]))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("no input pixels, only [x]");
    }
    try (GraphRun run = runner.start(1, products(1))) {
      run.set("x", new float[2]);
      assertThatThrownBy(() -> run.get("y")).hasMessageContaining("call compute() first");
    }
  }

  @Test
  void refusesARunWithinARun() {
    try (GraphRun run = runner.start(1, products(1))) {
      assertThatThrownBy(() -> runner.start(2, products(2)))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("close it first");
      assertThatThrownBy(runner::close).hasMessageContaining("close it first");
      assertThat(run.set("x", new float[] {1, 10}).compute().get("y"))
          .containsExactly(21.5f, 43.25f);
    }
  }

  @Test
  void givesOutIntermediates() {
    assertThat(
            runner.intermediates(
                products(1), run -> run.set("x", new float[] {1, 10}), List.of("product")))
        .hasSize(1)
        .hasEntrySatisfying("product", v -> assertThat(v).containsExactly(21, 43));
    assertThat(runner.intermediates(products(1), run -> run.set("x", new float[2]), List.of()))
        .containsOnlyKeys("table", "x", "product");
  }

  @Test
  void keepsValuesBetweenRuns() {
    PersistentTensors state = runner.newPersistentTensors();
    Tensor sum = state.create("sum", TensorType.F32, 2);
    state.allocate();
    GraphDefinition definition =
        graph -> {
          Tensor x = graph.input("x", 2);
          graph.output("sum", x.add(sum).copyTo(sum));
        };
    for (int i = 1; i <= 3; i++) {
      try (GraphRun run = runner.start(state, definition)) {
        run.set("x", new float[] {1, 10}).compute();
        assertThat(run.get("sum")).containsExactly(i, 10 * i);
      }
    }
    assertThat(state.get(sum)).containsExactly(3, 30);
    try (GraphRun run = runner.start(1, products(1))) {
      assertThatThrownBy(state::close).hasMessageContaining("close it first");
      assertThat(run.set("x", new float[2]).compute().get("y")).hasSize(2);
    }
    state.close();
    assertThatThrownBy(() -> runner.start(state, definition))
        .isInstanceOf(IllegalStateException.class);
    assertThat(run(1, 1, 10)).containsExactly(21.5f, 43.25f);
  }

  @Test
  void letsThreadsWaitForEachOther() throws InterruptedException {
    var failures = new java.util.concurrent.ConcurrentLinkedQueue<Throwable>();
    List<Thread> threads =
        java.util.stream.IntStream.range(1, 4)
            .mapToObj(n ->
                Thread.ofPlatform()
                    .start(() -> {
                      try {
                        for (int i = 0; i < 50; i++) {
                          float[] x = new float[2 * n];
                          x[0] = i;
                          assertThat(run(n, x)[1]).isEqualTo(3 * i + 0.25f);
                        }
                      } catch (Throwable e) {
                        failures.add(e);
                      }
                    }))
            .toList();
    for (Thread thread : threads) {
      thread.join();
    }
    assertThat(failures).isEmpty();
  }
}
