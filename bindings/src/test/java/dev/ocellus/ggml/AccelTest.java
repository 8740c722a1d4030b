package dev.ocellus.ggml;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.compute.Accelerator;
import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.compute.ComputationCancelledException;
import dev.ocellus.gguf.TensorType;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Products that libraries compute, beside the same ones of ggml and of Java. */
class AccelTest {
  /** Rounding F32 to BF16 or F16 would be off by more than 1e-3 at sums like these. */
  private static final float EXACT = 1e-4f;

  private static Accel accel(Accelerator which) {
    return Accel.find(which).orElseThrow();
  }

  private static float[] numbers(int n, int seed) {
    float[] values = new float[n];
    int state = seed;
    for (int i = 0; i < n; i++) {
      state = state * 1664525 + 1013904223;
      values[i] = (state >> 8) / (float) (1 << 23);
    }
    return values;
  }

  /** {@code x · wᵀ} for one matrix. */
  private static float[] product(float[] x, float[] w, int m, int n, int k) {
    float[] d = new float[m * n];
    for (int i = 0; i < m; i++) {
      for (int j = 0; j < n; j++) {
        double sum = 0;
        for (int l = 0; l < k; l++) {
          sum += (double) x[i * k + l] * w[j * k + l];
        }
        d[i * n + j] = (float) sum;
      }
    }
    return d;
  }

  @ParameterizedTest
  @EnumSource(names = {"OPENBLAS", "ONEDNN", "AUTO"})
  void multipliesInF32OnAnyNumberOfThreads(Accelerator which) {
    int m = 131;
    int n = 515;
    int k = 193;
    float[] x = numbers(m * k, 1);
    float[] w = numbers(n * k, 2);
    float[] expected = product(x, w, m, n, k);
    for (int nThreads : new int[] {1, 2, 5}) {
      try (var taken = accel(which).newBackend(nThreads);
          var cpu = new Backend(Device.cpu(), 1);
          var scheduler = new Scheduler(taken, cpu);
          var builder = new GraphBuilder()) {
        Tensor weight = builder.input("w", k, n);
        Tensor input = builder.input("x", k, m);
        Tensor out = input.mulMat(weight);
        try (Graph graph = builder.build(out);
            var computation = scheduler.start(graph)) {
          float[] found = computation.set(weight, w).set(input, x).compute().get(out);
          assertThat(found).usingComparatorWithPrecision(EXACT).containsExactly(expected);
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"F16", "BF16"})
  void widensWeightsWhereAProductIsToBeExact(TensorType type) {
    int m = 64;
    int n = 512;
    int k = 512;
    float[] x = numbers(m * k, 3);
    float[] w = numbers(n * k, 4);
    for (int i = 0; i < w.length; i++) { // so that each type holds them exactly
      w[i] = Math.round(w[i] * 64) / 64f;
    }
    try (var taken = accel(Accelerator.AUTO).newBackend(2);
        var cpu = new Backend(Device.cpu(), 1);
        var scheduler = new Scheduler(taken, cpu);
        var builder = new GraphBuilder()) {
      Tensor weight = builder.input("w", k, n);
      Tensor input = builder.input("x", k, m);
      Tensor stored = type == TensorType.F16 ? weight.toF16() : weight.toBf16();
      Tensor out = input.mulMatExactly(stored);
      try (Graph graph = builder.build(out);
          var computation = scheduler.start(graph)) {
        float[] found = computation.set(weight, w).set(input, x).compute().get(out);
        assertThat(found)
            .usingComparatorWithPrecision(EXACT)
            .containsExactly(product(x, w, m, n, k));
      }
    }
  }

  @Test
  void leavesTheRestOfAGraphToTheCpuAndTakesHeadsThatShareTheirKeys() {
    int dHead = 64;
    int n = 160;
    int nHead = 6;
    float[] q = numbers(dHead * n * nHead, 5);
    float[] kv = numbers(dHead * n * nHead / 2, 6);
    List<float[]> found = new ArrayList<>();
    for (boolean accelerated : new boolean[] {false, true}) {
      try (var taken = accel(Accelerator.OPENBLAS).newBackend(2);
          var cpu = new Backend(Device.cpu(), 2);
          var scheduler = accelerated ? new Scheduler(taken, cpu) : new Scheduler(cpu);
          var builder = new GraphBuilder()) {
        Tensor query = builder.input("q", dHead, nHead, n);
        Tensor key = builder.input("k", dHead, nHead / 2, n);
        Tensor scores = query.permute(0, 2, 1, 3).mulMat(key.permute(0, 2, 1, 3)).softMax(1 / 8f);
        Tensor value = key.permute(1, 2, 0, 3).contiguous();
        Tensor out = scores.mulMat(value);
        try (Graph graph = builder.build(out);
            var computation = scheduler.start(graph)) {
          found.add(computation.set(query, q).set(key, kv).compute().get(out));
        }
      }
    }
    assertThat(found.get(1)).usingComparatorWithPrecision(EXACT).containsExactly(found.get(0));
  }

  /** In one node where the scheduler has an accelerator; a graph for another one has the steps. */
  @Test
  void activationsAreComputedInOneNode() {
    assertThat(nodesSaved(Tensor::geluTanh)).isEqualTo(4); // of five steps
    assertThat(nodesSaved(Tensor::geluQuick)).isEqualTo(2);
  }

  private static int nodesSaved(UnaryOperator<Tensor> activation) {
    int width = 300;
    int n = 70;
    float[] x = numbers(width * n, 9);
    for (int i = 0; i < x.length; i++) {
      x[i] *= 6;
    }
    List<float[]> found = new ArrayList<>();
    List<Integer> sizes = new ArrayList<>();
    for (boolean accelerated : new boolean[] {false, true}) {
      try (var taken = accel(Accelerator.AUTO).newBackend(2);
          var cpu = new Backend(Device.cpu(), 2);
          var scheduler = accelerated ? new Scheduler(taken, cpu) : new Scheduler(cpu);
          var builder = new GraphBuilder()) {
        Tensor input = builder.on(scheduler).input("x", width, n);
        Tensor out = activation.apply(input);
        try (Graph graph = builder.build(out);
            var computation = scheduler.start(graph)) {
          sizes.add(graph.size());
          found.add(computation.set(input, x).compute().get(out));
        }
      }
    }
    assertThat(found.get(1)).usingComparatorWithPrecision(5e-6f).containsExactly(found.get(0));
    assertThat(found.get(1)).isNotEqualTo(found.get(0));
    return sizes.get(0) - sizes.get(1);
  }

  /**
   * With what it gates, and the ranges of all three, in the place of the gate, which is then
   * computed beside others.
   */
  @ParameterizedTest
  @CsvSource({
    "300, 70, -Infinity, Infinity, -Infinity, Infinity, -Infinity, Infinity",
    "4099, 3, -Infinity, Infinity, -Infinity, Infinity, -Infinity, Infinity",
    "300, 70, -1.5, 3, -0.25, 0.5, -0.1, 1",
    "300, 70, -Infinity, 2, -0.5, Infinity, -1, 0.25",
    "4099, 3, 0.5, 0.5, -Infinity, Infinity, 0.2, 0.3"
  })
  void geluByTheTangentMultipliesInTheSamePass(
      int width, int n, float low, float high, float low2, float high2, float low3, float high3) {
    float[] x = numbers(width * n, 11);
    float[] y = numbers(width * n, 12);
    for (int i = 0; i < x.length; i++) {
      x[i] *= 6;
    }
    Range own = new Range(low, high);
    Range ofFactors = new Range(low2, high2);
    Range results = new Range(low3, high3);
    try (var taken = accel(Accelerator.AUTO).newBackend(2);
        var cpu = new Backend(Device.cpu(), 2);
        var scheduler = new Scheduler(taken, cpu);
        var builder = new GraphBuilder().on(scheduler)) {
      Tensor input = builder.input("x", width, n);
      Tensor factors = builder.input("y", width, n);
      Tensor two = input.clamp(low, high).geluTanh().mul(factors.clamp(low2, high2));
      Tensor one = input.scale(1).geluTanhTimes(own, factors, ofFactors, results);
      Tensor clipped = two.clamp(low3, high3);
      try (Graph graph = builder.build(one, clipped);
          var computation = scheduler.start(graph)) {
        computation.set(input, x).set(factors, y).compute();
        assertThat(computation.get(one)).containsExactly(computation.get(clipped));
        assertThat(graph.size()).isEqualTo(7 + 3); // nodes; inputs, and the place for none
      }
    }
  }

  @Test
  void stopsWhenItIsCancelled() {
    try (var taken = accel(Accelerator.OPENBLAS).newBackend(1);
        var cpu = new Backend(Device.cpu(), 1);
        var scheduler = new Scheduler(taken, cpu);
        var builder = new GraphBuilder()) {
      Tensor weight = builder.input("w", 512, 512);
      Tensor input = builder.input("x", 512, 64);
      Tensor out = input.mulMat(weight);
      try (Graph graph = builder.build(out);
          var computation = scheduler.start(graph)) {
        computation.set(weight, numbers(512 * 512, 7)).set(input, numbers(512 * 64, 8));
        var flag = new CancellationFlag();
        flag.cancel();
        assertThatThrownBy(() -> computation.compute(flag))
            .isInstanceOf(ComputationCancelledException.class);
        assertThat(computation.compute().get(out)).doesNotContain(Float.NaN);
      }
    }
  }

  @Test
  void manyThreadsMultiplyAtTheSameTime() throws Exception {
    int m = 96;
    int n = 384;
    int k = 256;
    float[] x = numbers(m * k, 9);
    float[] w = numbers(n * k, 10);
    float[] expected = product(x, w, m, n, k);
    Callable<float[]> one =
        () -> {
          try (var taken = accel(Accelerator.AUTO).newBackend(2);
              var cpu = new Backend(Device.cpu(), 1);
              var scheduler = new Scheduler(taken, cpu);
              var builder = new GraphBuilder()) {
            Tensor weight = builder.input("w", k, n);
            Tensor input = builder.input("x", k, m);
            Tensor out = input.mulMat(weight);
            try (Graph graph = builder.build(out)) {
              float[] last = new float[0];
              for (int i = 0; i < 20; i++) {
                try (var computation = scheduler.start(graph)) {
                  last = computation.set(weight, w).set(input, x).compute().get(out);
                }
              }
              return last;
            }
          }
        };
    try (var pool = Executors.newFixedThreadPool(6)) {
      List<Future<float[]>> all = new ArrayList<>();
      for (int i = 0; i < 6; i++) {
        all.add(pool.submit(one));
      }
      for (Future<float[]> each : all) {
        assertThat(each.get()).usingComparatorWithPrecision(EXACT).containsExactly(expected);
      }
    }
  }

  @Test
  void takesOnlyLargeProductsOfFloats() {
    Accel accel = accel(Accelerator.OPENBLAS);
    assertThat(accel.takes(TensorType.F16, 1024, 1024, 577)).isTrue();
    assertThat(accel.takes(TensorType.Q8_0, 1024, 1024, 577)).isFalse();
    assertThat(accel.takes(TensorType.F16, 1024, 1024, 1)).isFalse();
    assertThat(accel.takes(TensorType.F16, 32, 32, 577)).isFalse();
  }

  @Test
  void isOffWhereItIsTurnedOff() {
    assertThat(Accel.find(Accelerator.OFF)).isEmpty();
    System.setProperty("ocellus.accel", "off");
    try {
      assertThat(Accel.find(Accelerator.AUTO)).isEmpty();
      assertThat(Accel.status().reasons()).singleElement().asString().contains("turned off");
      System.setProperty("ocellus.accel", "mkl");
      assertThatThrownBy(() -> Accel.find(Accelerator.AUTO))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("expected auto, off, openblas or onednn, found 'mkl'");
    } finally {
      System.clearProperty("ocellus.accel");
    }
  }
}
