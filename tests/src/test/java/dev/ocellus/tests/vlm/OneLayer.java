package dev.ocellus.tests.vlm;

import dev.ocellus.compute.MatrixPrecision;
import dev.ocellus.ggml.Accel;
import dev.ocellus.ggml.Backend;
import dev.ocellus.ggml.Device;
import dev.ocellus.ggml.Graph;
import dev.ocellus.ggml.GraphBuilder;
import dev.ocellus.ggml.Scheduler;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.WeightStore;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** Computes a layer of which a test has made the weights. */
final class OneLayer {
  private OneLayer() {}

  static float[] gaussians(int n, long seed) {
    var random = new Random(seed);
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  /** A file to add the layer's weights to. */
  static GgufWriter weights() {
    return new GgufWriter().string("general.architecture", "clip");
  }

  /** What a layer gives for rows of {@code width} numbers, on the CPU. */
  static float[] compute(
      GgufWriter weights,
      MatrixPrecision precision,
      Function<Weights, UnaryOperator<Tensor>> layer,
      float[] x,
      int width)
      throws IOException {
    return compute(weights, precision, null, layer, x, width);
  }

  /** The same with an accelerator; null for none. */
  static float[] compute(
      GgufWriter weights,
      MatrixPrecision precision,
      @Nullable Accel accel,
      Function<Weights, UnaryOperator<Tensor>> layer,
      float[] x,
      int width)
      throws IOException {
    Path file = Files.createTempFile("layer", ".gguf");
    try {
      weights.write(file);
      return compute(file, precision, accel, layer, x, width);
    } finally {
      Files.delete(file);
    }
  }

  private static float[] compute(
      Path file,
      MatrixPrecision precision,
      @Nullable Accel accel,
      Function<Weights, UnaryOperator<Tensor>> layer,
      float[] x,
      int width)
      throws IOException {
    try (GgufFile gguf = GgufFile.open(file);
        var taken = accel == null ? null : accel.newBackend(2);
        var backend = new Backend(Device.cpu(), 1);
        var store = new WeightStore(gguf, backend, precision);
        var scheduler = taken == null ? new Scheduler(backend) : new Scheduler(taken, backend);
        var builder = new GraphBuilder().on(scheduler)) {
      UnaryOperator<Tensor> bound = layer.apply(store.weights());
      store.load();
      Tensor input = builder.input("x", width, x.length / width);
      Tensor output = bound.apply(input);
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
}
