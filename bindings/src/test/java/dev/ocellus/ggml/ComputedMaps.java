package dev.ocellus.ggml;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.compute.Accelerator;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * Graphs of feature maps with inputs without a pattern, computed with an accelerator and without.
 */
abstract class ComputedMaps {
  private static final float EXACT = 3e-5f;

  final List<float[]> values = new ArrayList<>();
  private final List<Tensor> inputs = new ArrayList<>();

  final Tensor input(GraphBuilder builder, double scale, long... shape) {
    Tensor tensor = builder.input("input" + inputs.size(), shape);
    if (values.size() == inputs.size()) {
      float[] numbers = new float[(int) tensor.nElements()];
      int state = 7 * values.size() + 1;
      for (int i = 0; i < numbers.length; i++) {
        state = state * 1664525 + 1013904223;
        numbers[i] = (float) ((state >> 8) / (double) (1 << 23) * scale);
      }
      values.add(numbers);
    }
    inputs.add(tensor);
    return tensor;
  }

  final <T> T with(Accelerator which, int nThreads, Function<Scheduler, T> body) {
    inputs.clear();
    Backend[] backends = new Backend[which == Accelerator.OFF ? 1 : 2];
    if (which != Accelerator.OFF) {
      backends[0] = Accel.find(which).orElseThrow().newBackend(nThreads);
    }
    backends[backends.length - 1] = new Backend(Device.cpu(), 2);
    try (var scheduler = new Scheduler(backends)) {
      return body.apply(scheduler);
    } finally {
      for (Backend backend : backends) {
        backend.close();
      }
    }
  }

  final float[] computed(Accelerator which, int nThreads, Function<GraphBuilder, Tensor> body) {
    return with(
        which,
        nThreads,
        scheduler -> {
          try (var builder = new GraphBuilder()) {
            Tensor out = body.apply(builder);
            try (Graph graph = builder.build(out);
                var computation = scheduler.start(graph)) {
              for (int i = 0; i < inputs.size(); i++) {
                computation.set(inputs.get(i), values.get(i));
              }
              return computation.compute().get(out);
            }
          }
        });
  }

  static void assertClose(float[] found, float[] expected) {
    assertThat(found).hasSameSizeAs(expected);
    for (int i = 0; i < found.length; i++) {
      if (!(Math.abs(found[i] - expected[i]) <= EXACT)) {
        assertThat(found[i]).as("number %d", i).isEqualTo(expected[i]);
      }
    }
  }
}
