package dev.ocellus.tests.vlm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.ocellus.compute.Accelerator;
import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.compute.MatrixPrecision;
import dev.ocellus.ggml.Accel;
import dev.ocellus.ggml.Device;
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
import dev.ocellus.vlm.nn.Mlp;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Matrices of F16 and BF16 multiply alike where they lie in a file and converted in memory. */
class WeightPlacementTest {
  private static final int WIDTH = 512;
  private static final int WIDER = 1000;
  private static final int ROWS = 300;
  private static final long HALF_BYTES = 2L * WIDTH * WIDER;

  @TempDir Path directory;
  private Path file = Path.of("");
  private final float[] x = new float[ROWS * WIDTH];

  @BeforeEach
  void write() throws IOException {
    file = directory.resolve("layer.gguf");
    var random = new Random(5);
    new GgufWriter()
        .string("general.architecture", "clip")
        .tensor("ffn_up.weight", TensorType.F16, half(random, WIDTH, true), WIDTH, WIDER)
        .tensor("ffn_down.weight", TensorType.BF16, half(random, WIDER, false), WIDER, WIDTH)
        .write(file);
    for (int i = 0; i < x.length; i++) {
      x[i] = (float) random.nextGaussian();
    }
  }

  private static Memory half(Random random, int nIn, boolean f16) {
    ByteBuffer bytes = ByteBuffer.allocateDirect((int) HALF_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    while (bytes.hasRemaining()) {
      float value = (float) (random.nextGaussian() / Math.sqrt(nIn));
      bytes.putShort(
          f16 ? Float.floatToFloat16(value) : (short) (Float.floatToRawIntBits(value) >>> 16));
    }
    return new Memory(MemorySegment.ofBuffer(bytes.flip()));
  }

  private GraphRunner open(MatrixPrecision precision, WeightPlacement weights) throws IOException {
    return GraphRunner.open(
        file, new RunnerOptions(2, false, precision, Accelerator.AUTO, 1, weights));
  }

  private float[] compute(MatrixPrecision precision, WeightPlacement weights) throws IOException {
    try (GraphRunner runner = open(precision, weights)) {
      var layer = new Layer(Mlp.of(runner.weights(), WIDTH, WIDER, Activation.GELU), x);
      runner.load();
      runner.run(layer, 1, new CancellationFlag());
      float[] first = layer.found.clone();
      runner.run(layer, 1, new CancellationFlag()); // pages have been given back meanwhile
      assertThat(layer.found).isEqualTo(first);
      return first;
    }
  }

  @ParameterizedTest
  @EnumSource(MatrixPrecision.class)
  void multiplyAlike(MatrixPrecision precision) throws IOException {
    float[] expected = compute(precision, WeightPlacement.CONVERTED);
    assertThat(compute(precision, WeightPlacement.IN_FILE)).isEqualTo(expected);
  }

  @Test
  void whatIsRoundedIsNotExact() throws IOException {
    assumeTrue(Device.cpu().features().contains("AVX512_BF16"), "no instructions for BF16");
    float[] exact = compute(MatrixPrecision.EXACT, WeightPlacement.IN_FILE);
    float[] rounded = compute(MatrixPrecision.BF16, WeightPlacement.IN_FILE);
    double difference = 0;
    for (int i = 0; i < exact.length; i++) {
      difference = Math.max(difference, Math.abs((double) rounded[i] - exact[i]));
    }
    assertThat(difference).isBetween(1e-3, 5e-2);
  }

  @Test
  void liesInTheFileOnlyWhereItIsAskedFor() throws IOException {
    assumeTrue(Device.cpu().features().contains("AVX512_BF16"), "no instructions for BF16");
    assumeTrue(Accel.find(Accelerator.AUTO).isPresent(), "no accelerator");
    for (WeightPlacement weights : WeightPlacement.values()) {
      try (GraphRunner runner = open(MatrixPrecision.BF16, weights)) {
        var unused = Mlp.of(runner.weights(), WIDTH, WIDER, Activation.GELU);
        runner.load();
        assertThat(runner.mappedBytes())
            .as("%s", weights)
            .isEqualTo(weights == WeightPlacement.IN_FILE ? 2 * HALF_BYTES : HALF_BYTES);
      }
    }
  }

  /** A feed-forward block of one item. */
  private record Layer(Mlp mlp, float[] x, float[] found) implements BatchGraph {
    Layer(Mlp mlp, float[] x) {
      this(mlp, x, new float[ROWS * WIDTH]);
    }

    @Override
    public Object key(int count) {
      return count;
    }

    @Override
    public void define(ModelGraph graph, int n) {
      graph.output("y", mlp.forward(graph.input("x", WIDTH, ROWS, n)));
    }

    @Override
    public void compute(GraphRun run, int from, int count, CancellationFlag flag) {
      run.set("x", x).compute(flag);
      run.get("y", 0, found.length, found, 0);
    }
  }
}
