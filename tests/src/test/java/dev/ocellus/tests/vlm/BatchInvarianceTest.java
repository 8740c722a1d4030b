package dev.ocellus.tests.vlm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.compute.Accelerator;
import dev.ocellus.compute.MatrixPrecision;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.gguf.TensorType;
import dev.ocellus.io.Memory;
import dev.ocellus.vlm.graph.GraphRun;
import dev.ocellus.vlm.graph.GraphRunner;
import dev.ocellus.vlm.graph.RunnerOptions;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.nn.Attention;
import dev.ocellus.vlm.nn.Mlp;
import dev.ocellus.vlm.nn.Projection;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What comes of an item does not depend on how many are computed with it, bit for bit, also at
 * widths at which an accelerator takes the products of many rows and ggml those of few.
 */
class BatchInvarianceTest {
  private static final int WIDTH = 512;
  private static final int WIDER = 1024;
  private static final int HEADS = 8;
  private static final int MAX_ITEMS = 9;

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
    "5, EXACT",
    "8, EXACT",
    "9, EXACT",
    "16, FAST",
    "24, EXACT",
    "40, EXACT",
    "50, EXACT",
    "60, FAST",
    "77, FAST"
  })
  void isTheSameAloneAndAmongOthers(int rows, MatrixPrecision precision) throws IOException {
    var random = new Random(rows);
    float[] items = new float[MAX_ITEMS * rows * WIDTH];
    for (int i = 0; i < items.length; i++) {
      items[i] = (float) random.nextGaussian();
    }
    var options = new RunnerOptions(1, false, precision, Accelerator.AUTO, MAX_ITEMS);
    try (GraphRunner runner = GraphRunner.open(file, options)) {
      Attention attention = Attention.of(runner.weights(), WIDTH, HEADS);
      Mlp mlp = Mlp.of(runner.weights(), WIDTH, WIDER, Activation.GELU);
      Projection projection = Projection.of(runner.weights(), WIDTH, WIDTH);
      runner.load();
      float[][] alone = new float[MAX_ITEMS][];
      for (int n : new int[] {1, 2, 4, MAX_ITEMS}) {
        for (int from = 0; from < (n == 1 ? MAX_ITEMS : 1); from++) {
          float[] found =
              compute(runner, attention, mlp, projection, rows, n, part(items, from, n));
          for (int i = 0; i < n; i++) {
            float[] vector = part(found, i, found.length / n, 1);
            if (n == 1) {
              alone[from] = vector;
            } else {
              assertThat(vector).as("%d of %d items", i, n).isEqualTo(alone[i]);
            }
          }
        }
      }
    }
  }

  private static float[] part(float[] items, int from, int n) {
    return part(items, from, items.length / MAX_ITEMS, n);
  }

  private static float[] part(float[] values, int from, int length, int n) {
    return Arrays.copyOfRange(values, from * length, (from + n) * length);
  }

  /** A layer and the projection of each item's first row. */
  private static float[] compute(
      GraphRunner runner,
      Attention attention,
      Mlp mlp,
      Projection projection,
      int rows,
      int n,
      float[] values) {
    try (GraphRun run =
        runner.start(
            List.of(n),
            graph -> {
              Tensor x = graph.input("x", WIDTH, rows, n);
              Tensor y = mlp.forward(attention.forward(x));
              Tensor first = y.slice(new long[] {}, WIDTH, 1, n).contiguous().reshape(WIDTH, n);
              graph.output("y", projection.forward(first));
            })) {
      return run.set("x", values).compute().get("y");
    }
  }
}
