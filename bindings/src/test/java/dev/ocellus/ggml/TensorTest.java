package dev.ocellus.ggml;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.ocellus.compute.GgmlException;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

class TensorTest {
  private static float[] compute(float[] data, int width, UnaryOperator<Tensor> operation) {
    try (var backend = new Backend(Device.cpu(), 1);
        var scheduler = new Scheduler(backend);
        var builder = new GraphBuilder()) {
      Tensor input = builder.input("x", width, data.length / width);
      Tensor output = operation.apply(input);
      try (Graph graph = builder.build(output)) {
        float[] values;
        try (var computation = scheduler.start(graph)) {
          values = computation.set(input, data).compute().get(output);
        }
        scheduler.forget(graph);
        return values;
      }
    }
  }

  @Test
  void computesGeluByTheHyperbolicTangent() {
    int n = 4001;
    float[] data = new float[n];
    for (int i = 0; i < n; i++) {
      data[i] = (i - n / 2) / 100f; // -20 to 20, with 0
    }
    float[] found = compute(data, n, Tensor::geluTanh);
    for (int i = 0; i < n; i++) {
      double x = data[i];
      double inner = Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x);
      double expected = 0.5 * x * (1 + Math.tanh(inner));
      // F32 has 24 bits; an F16 table would be off by 1e-3
      assertThat((double) found[i]).isCloseTo(expected, within(2e-6 * Math.max(1, Math.abs(x))));
    }
  }

  @Test
  void padsRowsWithZeros() {
    assertThat(compute(new float[] {1, 2, 3, 4}, 2, x -> x.padRows(4)))
        .containsExactly(1, 2, 0, 0, 3, 4, 0, 0);
    assertThatThrownBy(() -> compute(new float[] {1, 2}, 2, x -> x.padRows(1)))
        .isInstanceOf(GgmlException.class)
        .hasMessageContaining("cannot be cut");
  }

  @Test
  void computesInTheOrderThatWasAskedFor() {
    // the sum of the first is needed later; asking for it early must not compute it twice
    assertThat(
            compute(
                new float[] {1, 2},
                2,
                x -> {
                  Tensor early = x.scale(3).computeFirst();
                  return x.scale(10).add(early);
                }))
        .containsExactly(13, 26);
  }

  @Test
  void growsWithTheGraph() {
    try (var backend = new Backend(Device.cpu(), 1);
        var scheduler = new Scheduler(backend)) {
      for (int n : new int[] {1, 20_000, 3}) {
        try (var builder = new GraphBuilder()) {
          Tensor x = builder.input("x", 2);
          Tensor y = x;
          for (int i = 0; i < n; i++) {
            Tensor step = builder.input("step " + i, 2);
            y = y.add(step).computeFirst(); // or ggml's recursion would end at the first input
          }
          try (Graph graph = builder.build(y)) {
            try (var computation = scheduler.start(graph)) {
              computation.set(x, new float[] {1, 2});
              for (int i = 0; i < n; i++) {
                computation.set(graph.named("step " + i), new float[] {1, i % 2});
              }
              assertThat(computation.compute().get(y)).containsExactly(1 + n, 2 + n / 2);
            }
            assertThat(graph.nNodes()).isEqualTo(n);
            scheduler.forget(graph);
          }
        }
      }
    }
  }
}
