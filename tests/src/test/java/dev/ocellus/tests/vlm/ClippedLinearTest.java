package dev.ocellus.tests.vlm;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.compute.MatrixPrecision;
import dev.ocellus.ggml.Backend;
import dev.ocellus.ggml.Device;
import dev.ocellus.ggml.Graph;
import dev.ocellus.ggml.GraphBuilder;
import dev.ocellus.ggml.Scheduler;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.WeightStore;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.gguf.TensorType;
import dev.ocellus.io.Memory;
import dev.ocellus.vlm.nn.ClippedLinear;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ClippedLinearTest {
  private static final int IN = 32;
  private static final int OUT = 8;
  private static final int ROWS = 5;
  private static final float LARGEST = Float.MAX_VALUE;

  @TempDir Path directory;

  /** Ranges of what goes in and of what comes out; the largest float stands for an infinite end. */
  private record Ranges(float inMin, float inMax, float outMin, float outMax) {}

  @ParameterizedTest
  @CsvSource({
    "-0.5, 0.25, -0.75, 0.5",
    "-0.5, 3.4028235e38, -3.4028235e38, 0.5",
    "-3.4028235e38, 3.4028235e38, 0, 0.5",
    "-3.4028235e38, 3.4028235e38, -3.4028235e38, 3.4028235e38"
  })
  void holdsWhatGoesInAndWhatComesOutWithinTheirRanges(
      float inMin, float inMax, float outMin, float outMax) throws IOException {
    float[] weights = gaussians(IN * OUT, 1);
    float[] x = gaussians(IN * ROWS, 2);
    Ranges ranges = new Ranges(inMin, inMax, outMin, outMax);
    float[] expected = new float[OUT * ROWS];
    for (int row = 0; row < ROWS; row++) {
      for (int out = 0; out < OUT; out++) {
        double sum = 0;
        for (int i = 0; i < IN; i++) {
          sum += (double) weights[out * IN + i] * Math.clamp(x[row * IN + i], inMin, inMax);
        }
        expected[row * OUT + out] = (float) Math.clamp(sum, outMin, outMax);
      }
    }
    assertThat(compute(weights, x, ranges))
        .usingComparatorWithPrecision(1e-5f)
        .containsExactly(expected);
  }

  /** As in transformers, where such a range has infinite ends: nothing is computed for it. */
  @Test
  void keepsWhatIsInfiniteInARangeWithoutEnds() throws IOException {
    float[] weights = gaussians(IN * OUT, 1);
    float[] x = new float[IN * ROWS];
    x[0] = Float.POSITIVE_INFINITY;
    float[] found = compute(weights, x, new Ranges(-LARGEST, LARGEST, -LARGEST, LARGEST));
    for (int out = 0; out < OUT; out++) {
      assertThat(found[out]).isEqualTo(weights[out * IN] * Float.POSITIVE_INFINITY);
    }
  }

  private static float[] gaussians(int n, int seed) {
    var random = new Random(seed);
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  private float[] compute(float[] weights, float[] x, Ranges ranges) throws IOException {
    Path file = directory.resolve("clipped.gguf");
    try (Arena arena = Arena.ofConfined()) {
      new GgufWriter()
          .string("general.architecture", "clip")
          .tensor("weight", TensorType.F32, memory(arena, weights), IN, OUT)
          .tensor("input_min", TensorType.F32, memory(arena, ranges.inMin), 1)
          .tensor("input_max", TensorType.F32, memory(arena, ranges.inMax), 1)
          .tensor("output_min", TensorType.F32, memory(arena, ranges.outMin), 1)
          .tensor("output_max", TensorType.F32, memory(arena, ranges.outMax), 1)
          .write(file);
    }
    try (GgufFile gguf = GgufFile.open(file);
        var backend = new Backend(Device.cpu(), 1);
        var store = new WeightStore(gguf, backend, MatrixPrecision.EXACT);
        var scheduler = new Scheduler(backend);
        var builder = new GraphBuilder()) {
      ClippedLinear linear = ClippedLinear.of(store.weights(), IN, OUT);
      store.load();
      Tensor input = builder.input("x", IN, ROWS);
      Tensor output = linear.forward(input);
      try (Graph graph = builder.build(output)) {
        float[] values;
        try (var computation = scheduler.start(graph)) {
          values = computation.set(input, x).compute().get(output);
        }
        scheduler.forget(graph);
        return values;
      }
    }
  }

  private static Memory memory(Arena arena, float... values) {
    return new Memory(arena.allocateFrom(JAVA_FLOAT, values));
  }
}
