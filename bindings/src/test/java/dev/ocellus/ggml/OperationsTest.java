package dev.ocellus.ggml;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.compute.GgmlException;
import dev.ocellus.gguf.TensorType;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.function.BinaryOperator;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Operations beside PyTorch's numbers, which {@code make-torch-operations.py} wrote. */
class OperationsTest {
  /** Sums of up to 18 products of F32; rounding to F16 anywhere would be off by 1e-3. */
  private static final float TOLERANCE = 2e-6f;

  private static final Map<String, float[]> EXPECTED = expected();

  private static Map<String, float[]> expected() {
    try (var file = OperationsTest.class.getResourceAsStream("torch-operations.txt")) {
      Map<String, float[]> cases = new HashMap<>();
      for (String line : new String(file.readAllBytes(), StandardCharsets.UTF_8).split("\n")) {
        String[] words = line.split(" ");
        float[] values = new float[words.length - 1];
        for (int i = 0; i < values.length; i++) {
          values[i] = Float.parseFloat(words[i + 1]);
        }
        cases.put(words[0], values);
      }
      return cases;
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /** The same numbers as {@code fractions} of the script. */
  private static float[] fractions(int step, long... shape) {
    int n = 1;
    for (long size : shape) {
      n = (int) (n * size);
    }
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = (i * step % 101 - 50) / 32f;
    }
    return values;
  }

  private static void matches(String name, long[] shape, UnaryOperator<Tensor> operation) {
    matches(name, shape, new long[] {1}, (x, ignored) -> operation.apply(x));
  }

  private static void matches(
      String name, long[] shape, long[] argument, BinaryOperator<Tensor> operation) {
    try (var backend = new Backend(Device.cpu(), 2);
        var scheduler = new Scheduler(backend);
        var builder = new GraphBuilder()) {
      Tensor x = builder.input("x", shape);
      Tensor y = builder.input("y", argument);
      Tensor out = operation.apply(x, y);
      try (Graph graph = builder.build(out, y)) {
        try (var computation = scheduler.start(graph)) {
          float[] found =
              computation
                  .set(x, fractions(37, shape))
                  .set(y, fractions(29, argument))
                  .compute()
                  .get(out);
          assertThat(found)
              .as(name)
              .usingComparatorWithPrecision(TOLERANCE)
              .containsExactly(EXPECTED.get(name));
        }
        scheduler.forget(graph);
      }
    }
  }

  private static final long[] MAP = {5, 4, 3, 2};

  @Test
  void convolves() {
    long[] kernel = {3, 2, 3, 4};
    matches(
        "conv2d",
        MAP,
        kernel,
        (x, k) -> FeatureMaps.conv2d(x, k, new ConvGeometry(2, 1, 2, 1, 1, 1)));
    matches(
        "conv2d.dilated",
        MAP,
        kernel,
        (x, k) -> FeatureMaps.conv2d(x, k, new ConvGeometry(1, 1, 1, 1, 1, 2)));
    matches(
        "conv2d.depthwise",
        MAP,
        new long[] {2, 3, 1, 3},
        (x, k) -> FeatureMaps.depthwiseConv2d(x, k, ConvGeometry.of(1, 1)));
  }

  @Test
  void poolsAndNorms() {
    var geometry = new ConvGeometry(1, 2, 1, 1, 1, 1);
    matches("pool.max", MAP, x -> FeatureMaps.maxPool(x, 3, 2, geometry));
    matches("pool.average", MAP, x -> FeatureMaps.averagePool(x, 3, 2, geometry));
    matches("groupnorm", new long[] {3, 2, 6, 2}, x -> FeatureMaps.groupNorm(x, 3, 1e-6f));
  }

  @Test
  void upscales() {
    long[] map = {5, 4};
    matches("upscale.nearest", map, x -> FeatureMaps.upscaleNearest(x, 3));
  }

  @ParameterizedTest
  @EnumSource(Interpolation.class)
  void interpolates(Interpolation mode) {
    long[] map = {5, 4};
    matches("larger." + mode, map, x -> FeatureMaps.interpolate(x, 11, 7, mode));
    matches("smaller." + mode, map, x -> FeatureMaps.interpolate(x, 3, 2, mode));
  }

  @Test
  void activates() {
    long[] rows = {8, 3};
    matches("silu", rows, Tensor::silu);
    matches("gelu", rows, Tensor::geluErf);
    matches("gelu.tanh", rows, Tensor::geluTanh);
    matches("gelu.quick", rows, Tensor::geluQuick);
    matches("tanh", rows, Tensor::tanh);
    matches("leakyRelu", rows, x -> x.leakyRelu(0.2f));
    matches("l2norm", rows, x -> x.l2Norm(1e-12f));
  }

  @Test
  void masksSoftmax() {
    float no = Float.NEGATIVE_INFINITY;
    try (var backend = new Backend(Device.cpu(), 1);
        var scheduler = new Scheduler(backend);
        var builder = new GraphBuilder()) {
      Tensor x = builder.input("x", 8, 3);
      Tensor mask = builder.input("mask", 8, 3);
      Tensor out = x.softMax(0.5f, mask);
      float[] values = new float[24];
      for (int i = 0; i < values.length; i++) {
        values[i] = i % 8 < 5 ? 0 : no;
      }
      try (Graph graph = builder.build(out)) {
        try (var computation = scheduler.start(graph)) {
          computation.set(x, fractions(37, 8, 3)).set(mask, values).compute();
          assertThat(computation.get(out))
              .usingComparatorWithPrecision(TOLERANCE)
              .containsExactly(EXPECTED.get("softmax.mask"));
        }
        scheduler.forget(graph);
      }
    }
  }

  private static float[] compute(float[] data, Function<Tensor, Tensor> operation, long... shape) {
    try (var backend = new Backend(Device.cpu(), 1);
        var scheduler = new Scheduler(backend);
        var builder = new GraphBuilder()) {
      Tensor x = builder.input("x", shape);
      Tensor out = operation.apply(x);
      try (Graph graph = builder.build(out)) {
        float[] found;
        try (var computation = scheduler.start(graph)) {
          found = computation.set(x, data).compute().get(out);
        }
        scheduler.forget(graph);
        return found;
      }
    }
  }

  @Test
  void reducesRows() {
    float[] data = {1, 2, 3, -4, -5, -6};
    assertThat(compute(data, Tensor::sumRows, 3, 2)).containsExactly(6, -15);
    assertThat(compute(data, Tensor::meanRows, 3, 2)).containsExactly(2, -5);
    assertThat(compute(data, x -> x.clamp(-4, 2), 3, 2)).containsExactly(1, 2, 2, -4, -4, -4);
    assertThat(compute(data, x -> x.plus(0.5f), 3, 2))
        .containsExactly(1.5f, 2.5f, 3.5f, -3.5f, -4.5f, -5.5f);
    assertThat(compute(data, Tensor::square, 3, 2)).containsExactly(1, 4, 9, 16, 25, 36);
  }

  @Test
  void padsMaps() {
    assertThat(compute(new float[] {1, 2, 3, 4}, x -> FeatureMaps.pad(x, 1, 0, 0, 2), 2, 2))
        .containsExactly(0, 1, 2, 0, 3, 4, 0, 0, 0, 0, 0, 0);
  }

  @Test
  void findsTheLargestOfEveryRow() {
    try (var backend = new Backend(Device.cpu(), 1);
        var scheduler = new Scheduler(backend);
        var builder = new GraphBuilder()) {
      Tensor x = builder.input("x", 3, 2);
      Tensor out = x.argmax();
      try (Graph graph = builder.build(out)) {
        try (var computation = scheduler.start(graph)) {
          computation.set(x, new float[] {1, 7, 3, -1, -2, -0.5f}).compute();
          assertThat(computation.getInts(out)).containsExactly(1, 2);
        }
        scheduler.forget(graph);
      }
    }
  }

  @Test
  void readsPartsOfAnOutput() {
    try (var backend = new Backend(Device.cpu(), 1);
        var scheduler = new Scheduler(backend);
        var builder = new GraphBuilder()) {
      Tensor x = builder.input("x", 4);
      Tensor out = x.scale(2);
      try (Graph graph = builder.build(out)) {
        try (var computation = scheduler.start(graph)) {
          computation.set(x, new float[] {1, 2, 3, 4}).compute();
          float[] found = new float[3];
          computation.get(out, 1, 2, found, 1);
          assertThat(found).containsExactly(0, 4, 6);
          assertThatThrownBy(() -> computation.get(out, 3, 2, found, 0))
              .isInstanceOf(GgmlException.class)
              .hasMessageContaining("cannot be read from 3 on");
        }
        scheduler.forget(graph);
      }
    }
  }

  @Test
  void refusesWhatGgmlWouldAssertOn() {
    try (var builder = new GraphBuilder()) {
      Tensor x = builder.input("x", MAP);
      Tensor kernel = builder.input("kernel", 3, 3, 2, 1);
      var plain = ConvGeometry.of(1, 0);
      refuses(() -> FeatureMaps.conv2d(x, kernel, plain), "needs 2 channels");
      refuses(
          () -> FeatureMaps.conv2d(x, builder.input("k", 9, 9, 3, 1), plain), "is smaller than");
      refuses(
          () -> FeatureMaps.conv2d(x, builder.input("k", 1, 1, 3, 1 << 23), plain),
          "too large for ggml");
      refuses(() -> FeatureMaps.conv2d(x.permute(1, 0, 2, 3), kernel, plain), "call contiguous()");
      refuses(() -> FeatureMaps.depthwiseConv2d(x, kernel, plain), "does not fit");
      refuses(() -> FeatureMaps.groupNorm(x, 2, 0), "do not divide the channels");
      refuses(() -> FeatureMaps.maxPool(x, 2, 2, ConvGeometry.of(1, 2)), "half of the window");
      refuses(() -> FeatureMaps.interpolate(x, 0, 3, Interpolation.BILINEAR), "width and height");
      refuses(() -> new ConvGeometry(0, 1, 0, 0, 1, 1), "stride: expected 1");
      refuses(() -> x.permute(1, 0, 2, 3).scale(2), "call contiguous()");
      Tensor column = builder.input("column", 3, 1).transpose(); // one element a row, far apart
      refuses(() -> column.add(builder.input("d", 1, 3)), "contiguous rows");
      refuses(() -> x.argmax(), "expected a matrix");
      Tensor indices = builder.indices("i", 2, 9);
      refuses(() -> x.reshape(5, 24).copyRowsTo(x, indices), "cannot be written");
      refuses(
          () -> builder.input("r", 5, 2).copyRowsTo(x.reshape(5, 8, 3), indices),
          "cannot be written");
      refuses(
          () -> builder.input("r", 5, 2).copyRowsTo(x.slice(new long[] {}, 5, 4), indices),
          "has 4 rows");
      refuses(() -> x.copyTo(x.reshape(20, 6)), "cannot be written into");
      refuses(() -> x.getRows(indices), "cannot select");
    }
  }

  private static void refuses(
      org.assertj.core.api.ThrowableAssert.ThrowingCallable call, String why) {
    assertThatThrownBy(call).isInstanceOf(GgmlException.class).hasMessageContaining(why);
  }

  @Test
  void keepsValuesFromOneGraphToTheNext() {
    try (var backend = new Backend(Device.cpu(), 1);
        var persistent = new PersistentTensors(backend);
        var scheduler = new Scheduler(backend)) {
      Tensor cache = persistent.create("cache", TensorType.F32, 2, 4);
      Tensor half = persistent.create("half", TensorType.F16, 2, 2);
      persistent.allocate();
      assertThat(persistent.get(cache)).containsOnly(0);
      for (int row : new int[] {2, 0}) {
        try (var builder = new GraphBuilder()) {
          Tensor x = builder.input("x", 2, 1);
          Tensor indices = builder.indices("i", 1, 4);
          Tensor written = x.copyRowsTo(cache, indices);
          Tensor part = half.inGraphOf(x).slice(new long[] {0, 1}, 2, 1);
          Tensor sum = written.slice(new long[] {0, row}, 2, 1).add(x.copyTo(part).toF32());
          try (Graph graph = builder.build(sum)) {
            try (var computation = scheduler.start(graph)) {
              computation.set(x, new float[] {row + 1, 5}).set(indices, new int[] {row}).compute();
              assertThat(computation.get(sum)).containsExactly(2 * row + 2, 10);
            }
            scheduler.forget(graph);
          }
        }
      }
      assertThat(persistent.get(cache)).containsExactly(1, 5, 0, 0, 3, 5, 0, 0);
      persistent.set(cache, new float[] {1, 2, 3, 4, 5, 6, 7, 8});
      assertThat(persistent.get(cache)).containsExactly(1, 2, 3, 4, 5, 6, 7, 8);
      persistent.clear();
      assertThat(persistent.get(cache)).containsOnly(0);
      assertThatThrownBy(() -> persistent.create("late", TensorType.F32, 1))
          .isInstanceOf(GgmlException.class)
          .hasMessageContaining("allocated already");
    }
  }

  @Test
  void masksAttention() {
    try (var backend = new Backend(Device.cpu(), 1);
        var scheduler = new Scheduler(backend);
        var builder = new GraphBuilder()) {
      Tensor q = builder.input("q", 16, 3, 2);
      Tensor k = builder.input("k", 16, 5);
      Tensor v = builder.input("v", 16, 5);
      Tensor mask = builder.input("mask", 5, 3);
      refuses(() -> q.attention(k, v, mask, 0.25f), "must be contiguous f16");
      Tensor out = q.attention(k, v, mask.toF16(), 0.25f).permute(0, 2, 1, 3).contiguous();
      float no = Float.NEGATIVE_INFINITY;
      try (Graph graph = builder.build(out)) {
        try (var computation = scheduler.start(graph)) {
          computation
              .set(q, fractions(37, 16, 3, 2))
              .set(k, fractions(29, 16, 5))
              .set(v, fractions(31, 16, 5))
              .set(mask, new float[] {0, 0, 0, no, no, 0, 0, 0, 0, no, 0, 0, 0, 0, 0})
              .compute();
          assertThat(computation.get(out))
              .usingComparatorWithPrecision(TOLERANCE)
              .containsExactly(EXPECTED.get("attention.causal"));
        }
        scheduler.forget(graph);
      }
    }
  }
}
