package dev.ocellus.ggml;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.compute.Accelerator;
import dev.ocellus.compute.GgmlException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Rotary positions, of ggml's operations and in one node: the same numbers. */
class TurnedTest {
  /**
   * @param all heads in a row of what is read, of which the last ones are turned
   */
  private record Sizes(int width, int block, int nHead, int all, int n, int nItems) {
    int inputs() {
      return width * all * n * nItems;
    }

    int tables() {
      return width * n;
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

  /** Halves and quarters of heads, alone in a row and behind others, and more than one item. */
  @ParameterizedTest
  @CsvSource({
    "64, 16, 12, 12, 70, 1",
    "80, 40, 5, 15, 40, 1",
    "72, 36, 3, 9, 70, 2",
    "8, 2, 7, 7, 260, 3",
    "2, 1, 1, 1, 5000, 1"
  })
  void isComputedInOneNode(int width, int block, int nHead, int all, int n, int nItems) {
    Sizes sizes = new Sizes(width, block, nHead, all, n, nItems);
    float[] x = gaussians(sizes.inputs(), 1);
    float[] cos = gaussians(sizes.tables(), 2);
    float[] sin = gaussians(sizes.tables(), 3);
    float[] expected = definition(sizes, x, cos, sin);
    List<Integer> nodes = new ArrayList<>();
    for (int nThreads : new int[] {0, 1, 3}) { // 0: without an accelerator
      try (var taken =
              Accel.find(Accelerator.AUTO).orElseThrow().newBackend(Math.max(1, nThreads));
          var cpu = new Backend(Device.cpu(), 2);
          var scheduler = nThreads > 0 ? new Scheduler(taken, cpu) : new Scheduler(cpu);
          var builder = new GraphBuilder().on(scheduler)) {
        Tensor rows = builder.input("x", width, all, n, nItems);
        Tensor cosines = builder.input("cos", width, 1, n);
        Tensor sines = builder.input("sin", width, 1, n);
        Tensor heads =
            all == nHead ? rows : rows.slice(new long[] {0, all - nHead}, width, nHead, n, nItems);
        Tensor out = heads.turned(cosines, sines, block);
        try (Graph graph = builder.build(out);
            var computation = scheduler.start(graph)) {
          nodes.add(graph.size());
          assertThat(out.shape()).containsExactly(width, nHead, n, nItems);
          float[] found =
              computation.set(rows, x).set(cosines, cos).set(sines, sin).compute().get(out);
          assertThat(found).containsExactly(expected);
        }
      }
    }
    assertThat(nodes.get(1)).isLessThan(nodes.get(0)).isEqualTo(nodes.get(2));
  }

  /** Three steps, each rounded to single precision. */
  private static float[] definition(Sizes s, float[] x, float[] cos, float[] sin) {
    float[] turned = new float[s.width * s.nHead * s.n * s.nItems];
    for (int i = 0; i < turned.length; i++) {
      int place = i % s.width;
      int head = i / s.width % s.nHead + s.all - s.nHead;
      int row = i / s.width / s.nHead;
      int partner = place / s.block % 2 == 0 ? place + s.block : place - s.block;
      int first = (row * s.all + head) * s.width;
      int angle = row % s.n * s.width + place;
      float kept = x[first + place] * cos[angle];
      float exchanged = x[first + partner] * sin[angle];
      turned[i] = kept + exchanged;
    }
    return turned;
  }

  @Test
  void refusesBlocksThatMakeNoPairs() {
    try (var builder = new GraphBuilder()) {
      Tensor x = builder.input("x", 12, 2, 3);
      Tensor table = builder.input("table", 12, 1, 3);
      for (int block : new int[] {0, 4, 12}) {
        assertThatThrownBy(() -> x.turned(table, table, block))
            .isInstanceOf(GgmlException.class)
            .hasMessageContaining("have no pairs of blocks of " + block);
      }
      assertThatThrownBy(() -> x.turned(builder.input("other", 12, 1, 4), table, 3))
          .isInstanceOf(GgmlException.class)
          .hasMessageContaining("cannot be broadcast");
    }
  }
}
