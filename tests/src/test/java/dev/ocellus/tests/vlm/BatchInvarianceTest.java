package dev.ocellus.tests.vlm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.compute.Accelerator;
import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.compute.MatrixPrecision;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.gguf.TensorType;
import dev.ocellus.io.Memory;
import dev.ocellus.vlm.graph.BatchGraph;
import dev.ocellus.vlm.graph.GraphRun;
import dev.ocellus.vlm.graph.GraphRunner;
import dev.ocellus.vlm.graph.ModelGraph;
import dev.ocellus.vlm.graph.RunnerOptions;
import dev.ocellus.vlm.graph.WeightPlacement;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.nn.Attention;
import dev.ocellus.vlm.nn.AttentionMask;
import dev.ocellus.vlm.nn.Mlp;
import dev.ocellus.vlm.nn.Projection;
import dev.ocellus.vlm.nn.SpeakingRow;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What comes of an item does not depend on how many are computed with it, nor on how many threads
 * they are divided among, bit for bit, also at widths at which an accelerator takes the products of
 * many rows and ggml those of few, and before and after weights were packed.
 */
class BatchInvarianceTest {
  private static final int WIDTH = 512;
  private static final int WIDER = 1024;
  private static final int HEADS = 8;
  private static final int MAX_ITEMS = 9;

  /** F32 sums in another order. */
  private static final double TOLERANCE = 2e-6;

  @TempDir static Path directory;
  private static Path file = Path.of("");

  @BeforeAll
  static void write() throws IOException {
    file = directory.resolve("layer.gguf");
    var random = new Random(3);
    GgufWriter writer = new GgufWriter().string("general.architecture", "clip");
    for (String name : List.of("attn_q", "attn_k", "attn_v", "attn_out")) {
      writer.tensor(name + ".weight", TensorType.F32, matrix(random, WIDTH, WIDTH), WIDTH, WIDTH);
    }
    writer
        .tensor("ffn_up.weight", TensorType.F32, matrix(random, WIDTH, WIDER), WIDTH, WIDER)
        .tensor("ffn_down.weight", TensorType.F32, matrix(random, WIDER, WIDTH), WIDER, WIDTH)
        .tensor("weight", TensorType.F32, matrix(random, WIDTH, WIDTH), WIDTH, WIDTH)
        .write(file);
  }

  private static Memory matrix(Random random, int nIn, int nOut) {
    ByteBuffer floats = ByteBuffer.allocateDirect(4 * nIn * nOut).order(ByteOrder.LITTLE_ENDIAN);
    while (floats.hasRemaining()) {
      floats.putFloat((float) (random.nextGaussian() / Math.sqrt(nIn)));
    }
    return new Memory(MemorySegment.ofBuffer(floats.flip()));
  }

  @ParameterizedTest
  @CsvSource({
    "5, EXACT, false",
    "8, EXACT, true",
    "9, EXACT, false",
    "16, FAST, true",
    "24, EXACT, false",
    "40, EXACT, true",
    "50, EXACT, false",
    "60, FAST, false",
    "77, EXACT, true",
    "77, FAST, true",
    "77, FAST, false"
  })
  void isTheSameAloneAndAmongOthers(int rows, MatrixPrecision precision, boolean causal)
      throws IOException {
    var random = new Random(rows);
    float[] items = new float[MAX_ITEMS * rows * WIDTH];
    for (int i = 0; i < items.length; i++) {
      items[i] = (float) random.nextGaussian();
    }
    float[] expected = new float[MAX_ITEMS * WIDTH];
    float[] expectedOfRow = new float[MAX_ITEMS * WIDTH];
    for (int nThreads : new int[] {1, 2, 3, 4}) {
      var options =
          new RunnerOptions(
              nThreads, false, precision, Accelerator.AUTO, MAX_ITEMS, WeightPlacement.PACKED);
      try (GraphRunner runner = GraphRunner.open(file, options)) {
        var all = new LayerBatch(runner, rows, items, causal, !causal, false);
        var spoken = new LayerBatch(runner, rows, items, causal, !causal, true);
        runner.load();
        requireSame(all, expected, nThreads);
        requireSame(spoken, expectedOfRow, nThreads);
      }
    }
  }

  /** Where there is one thread, what is computed is expected of others. */
  private static void requireSame(LayerBatch layer, float[] expected, int nThreads) {
    for (int i = 0; i < MAX_ITEMS; i++) {
      layer.run(i, 1);
    }
    if (nThreads == 1) {
      System.arraycopy(layer.found, 0, expected, 0, expected.length);
    }
    assertThat(layer.found).as("%d threads, alone", nThreads).isEqualTo(expected);
    for (int n : new int[] {2, 4, 5, 8, MAX_ITEMS}) {
      Arrays.fill(layer.found, 0, n * WIDTH, Float.NaN);
      layer.run(0, n);
      assertThat(layer.found).as("%d threads, %d items", nThreads, n).isEqualTo(expected);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "7, false, true",
    "7, true, false",
    "50, false, true",
    "77, true, false",
    "77, true, true"
  })
  void aSpeakingRowIsComputedAsAmongAllRows(int rows, boolean causal, boolean first)
      throws IOException {
    var random = new Random(rows);
    float[] items = new float[MAX_ITEMS * rows * WIDTH];
    for (int i = 0; i < items.length; i++) {
      items[i] = (float) random.nextGaussian();
    }
    try (GraphRunner runner = GraphRunner.open(file, RunnerOptions.cpu(2))) {
      var all = new LayerBatch(runner, rows, items, causal, first, false);
      var spoken = new LayerBatch(runner, rows, items, causal, first, true);
      runner.load();
      all.run(0, MAX_ITEMS);
      spoken.run(0, MAX_ITEMS);
      double largest = 0;
      for (int i = 0; i < all.found.length; i++) {
        largest = Math.max(largest, Math.abs(all.found[i] - spoken.found[i]));
      }
      assertThat(largest).isLessThan(TOLERANCE);
      assertThat(Arrays.copyOf(all.found, WIDTH))
          .isNotEqualTo(Arrays.copyOfRange(all.found, WIDTH, 2 * WIDTH));
    }
  }

  /** A layer and the projection of one row of each item. */
  private static final class LayerBatch implements BatchGraph {
    private final GraphRunner runner;
    private final Attention attention;
    private final Mlp mlp;
    private final Projection projection;
    private final int rows;
    private final float[] items;
    private final float[] found = new float[MAX_ITEMS * WIDTH];
    private final boolean causal;
    private final boolean isFirst;
    private final boolean speaks;
    private int from;

    /**
     * @param causal whether rows attend to those before them
     * @param first whether it is the first row; otherwise which one it is depends on the item
     * @param speaks whether only this row is computed
     */
    LayerBatch(
        GraphRunner runner,
        int rows,
        float[] items,
        boolean causal,
        boolean first,
        boolean speaks) {
      this.runner = runner;
      this.attention = Attention.of(runner.weights(), WIDTH, HEADS);
      this.mlp = Mlp.of(runner.weights(), WIDTH, WIDER, Activation.GELU);
      this.projection = Projection.of(runner.weights(), WIDTH, WIDTH);
      this.rows = rows;
      this.items = items;
      this.causal = causal;
      this.isFirst = first;
      this.speaks = speaks;
    }

    void run(int from, int n) {
      this.from = from;
      runner.run(this, n, new CancellationFlag());
    }

    @Override
    public Object key(int count) {
      return List.of(speaks, count);
    }

    @Override
    public void define(ModelGraph graph, int n) {
      Tensor x = graph.input("x", WIDTH, rows, n);
      AttentionMask mask =
          causal
              ? AttentionMask.of(graph.table("mask", AttentionMask.causal(rows), rows, rows))
              : null;
      SpeakingRow row =
          isFirst ? SpeakingRow.first() : SpeakingRow.at(graph.indices("rows", n, (long) rows * n));
      Tensor y =
          speaks
              ? mlp.forwardEach(attention.forward(x, mask, row))
              : row.of(mlp.forward(attention.forward(x, mask)));
      graph.output("y", projection.forward(y.reshape(WIDTH, n)));
    }

    @Override
    public void compute(GraphRun run, int from, int count, CancellationFlag flag) {
      if (!isFirst) {
        run.set("rows", IntStream.range(0, count).map(i -> i * rows + row(from + i)).toArray());
      }
      run.set("x", items, (this.from + from) * rows * WIDTH).compute(flag);
      run.get("y", 0, count * WIDTH, found, (this.from + from) * WIDTH);
    }

    private int row(int item) {
      return (5 * (from + item) + 3) % rows;
    }
  }
}
