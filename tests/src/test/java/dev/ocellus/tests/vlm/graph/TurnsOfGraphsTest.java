package dev.ocellus.tests.vlm.graph;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.compute.Turns;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.vlm.graph.BatchGraph;
import dev.ocellus.vlm.graph.GraphRun;
import dev.ocellus.vlm.graph.GraphRunner;
import dev.ocellus.vlm.graph.ModelGraph;
import dev.ocellus.vlm.graph.RunnerOptions;
import dev.ocellus.vlm.nn.Linear;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A graph gives way to steps between the products that an accelerator computes. */
@Timeout(120)
class TurnsOfGraphsTest {
  private static final int WIDTH = 512;
  private static final int ROWS = 64;
  private static final int LAYERS = 40;
  private static final int MAX_ITEMS = 4;

  @TempDir static Path directory;

  /** Of one item, which all threads compute, and of several, which are divided among them. */
  @ParameterizedTest
  @ValueSource(ints = {1, MAX_ITEMS})
  void stepsAreMadeWhileOneGraphIsComputed(int nItems) throws Exception {
    float[] expected;
    try (GraphRunner runner = open()) {
      expected = new Products(runner).run(nItems);
    }
    try (GraphRunner runner = open()) {
      var products = new Products(runner);
      var turns = new Turns();
      runner.takeTurns(turns);
      products.run(nItems); // builds the graph
      var ended = new AtomicBoolean();
      var steps = new AtomicInteger();
      Thread thread =
          Thread.ofPlatform()
              .start(() -> {
                while (!ended.get()) {
                  turns.step(steps::incrementAndGet);
                }
              });
      products.steps = steps;
      float[] found = products.run(nItems);
      ended.set(true);
      thread.join();
      assertThat(found).isEqualTo(expected);
      assertThat(products.stepsMeanwhile.get()).isGreaterThan(LAYERS / 4);
    }
  }

  private static GraphRunner open() throws IOException {
    Path file = directory.resolve("matrix.gguf");
    var random = new Random(1);
    float[] values = new float[WIDTH * WIDTH];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (random.nextGaussian() / Math.sqrt(WIDTH));
    }
    new GgufWriter()
        .string("general.architecture", "clip")
        .tensor("weight", values, WIDTH, WIDTH)
        .write(file);
    return GraphRunner.open(file, RunnerOptions.cpu(2));
  }

  /** Many products one after the other. */
  private static final class Products implements BatchGraph {
    private final GraphRunner runner;
    private final Linear linear;
    private final float[] found = new float[MAX_ITEMS * ROWS * WIDTH];
    private final AtomicInteger stepsMeanwhile = new AtomicInteger();
    private AtomicInteger steps = new AtomicInteger();

    Products(GraphRunner runner) {
      this.runner = runner;
      linear = Linear.of(runner.weights(), WIDTH, WIDTH);
      runner.load();
    }

    float[] run(int nItems) {
      runner.run(this, nItems, new CancellationFlag());
      return Arrays.copyOf(found, nItems * ROWS * WIDTH);
    }

    @Override
    public Object key(int count) {
      return count;
    }

    @Override
    public void define(ModelGraph graph, int count) {
      Tensor x = graph.input("x", WIDTH, ROWS, count);
      for (int i = 0; i < LAYERS; i++) {
        x = linear.forward(x);
      }
      graph.output("y", x);
    }

    @Override
    public void compute(GraphRun run, int from, int count, CancellationFlag flag) {
      float[] x = new float[count * ROWS * WIDTH];
      for (int i = 0; i < x.length; i++) {
        x[i] = (i + 31 * from) % 17 - 8;
      }
      run.set("x", x);
      int before = steps.get();
      run.compute(flag);
      stepsMeanwhile.set(steps.get() - before);
      run.get("y", 0, x.length, found, from * ROWS * WIDTH);
    }
  }
}
