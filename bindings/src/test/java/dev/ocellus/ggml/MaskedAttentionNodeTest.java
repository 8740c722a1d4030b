package dev.ocellus.ggml;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.ocellus.compute.Accelerator;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Attention with a mask in one node of an accelerator. */
class MaskedAttentionNodeTest {
  private static final float HIDDEN = Float.NEGATIVE_INFINITY;
  private static final int WIDTH = 32;
  private static final int VALUE_WIDTH = 48;
  private static final int HEADS = 4;
  private static final int HEADS_KV = 2;
  private static final int ITEMS = 2;
  private static final float SCALE = (float) (1 / Math.sqrt(WIDTH));

  /** More than one block of queries, the last of which is not full. */
  private static final int QUERIES = 300;

  private static final int KEYS = 330;

  /** What masks leave, as {@code [item][head][query][key]}; of HEADS or 1, and ITEMS or 1. */
  private enum Kind {
    CAUSAL(1, 1) {
      @Override
      float added(int item, int head, int query, int key) {
        return key <= query + KEYS - QUERIES ? 0 : HIDDEN;
      }
    },
    /** In front and behind, of each item others. */
    PADDED(1, ITEMS) {
      @Override
      float added(int item, int head, int query, int key) {
        return key >= 40 * item && key < KEYS - 30 * (1 - item) ? 0 : HIDDEN;
      }
    },
    /** Keys between others, one of them alone at the end. */
    WITH_HOLES(1, ITEMS) {
      @Override
      float added(int item, int head, int query, int key) {
        return (key + query) % 7 < 3 + item ? HIDDEN : 0;
      }
    },
    /** Numbers that F16 has, of each head others. */
    WEIGHED(HEADS, 1) {
      @Override
      float added(int item, int head, int query, int key) {
        return key > query + 25 ? HIDDEN : -(head + 1) * ((query + 2 * key) % 5) * 0.25f;
      }
    },
    /** Queries, and a whole block of them, that attend to nothing. */
    WITH_NOTHING(1, 1) {
      @Override
      float added(int item, int head, int query, int key) {
        return query < 140 || query % 3 == 0 ? HIDDEN : 0;
      }
    },
    /** For some a single key, the first or the last. */
    SINGLE(1, ITEMS) {
      @Override
      float added(int item, int head, int query, int key) {
        return key == (query % 2 == item ? 0 : KEYS - 1) ? 0 : HIDDEN;
      }
    };

    final int nHead;
    final int nItems;

    Kind(int nHead, int nItems) {
      this.nHead = nHead;
      this.nItems = nItems;
    }

    abstract float added(int item, int head, int query, int key);

    float[] numbers() {
      float[] values = new float[KEYS * QUERIES * nHead * nItems];
      for (int i = 0; i < values.length; i++) {
        int row = i / KEYS;
        int matrix = row / QUERIES;
        values[i] = added(matrix / nHead, matrix % nHead, row % QUERIES, i % KEYS);
      }
      return values;
    }
  }

  private static float[] normal(int seed, int n) {
    Random random = new Random(seed);
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  private final float[] q = normal(1, WIDTH * HEADS * QUERIES * ITEMS);
  private final float[] k = normal(2, WIDTH * HEADS_KV * KEYS * ITEMS);
  private final float[] v = normal(3, VALUE_WIDTH * HEADS_KV * KEYS * ITEMS);

  private float[] computed(Kind kind, Accelerator which, int nThreads, boolean rounded) {
    try (var taken = Accel.find(which).orElseThrow().newBackend(nThreads);
        var cpu = new Backend(Device.cpu(), 1);
        var scheduler = new Scheduler(taken, cpu)) {
      return computed(kind, scheduler, rounded);
    }
  }

  private float[] computed(Kind kind, Scheduler scheduler, boolean rounded) {
    try (var builder = new GraphBuilder()) {
      Tensor queries = builder.input("q", WIDTH, HEADS, QUERIES, ITEMS);
      Tensor keys = builder.input("k", WIDTH, HEADS_KV, KEYS, ITEMS);
      Tensor values = builder.input("v", VALUE_WIDTH, HEADS_KV, KEYS, ITEMS);
      Tensor mask = builder.input("mask", KEYS, QUERIES, kind.nHead, kind.nItems);
      Tensor out =
          byHead(queries)
              .attention(byHead(keys), byHead(values), mask.toF16(), SCALE)
              .accelerated(rounded);
      try (Graph graph = builder.build(out);
          var computation = scheduler.start(graph)) {
        computation.set(queries, q).set(keys, k).set(values, v).set(mask, kind.numbers());
        return computation.compute().get(out);
      }
    }
  }

  /** [width, nHead, n, items] to [width, n, nHead, items]. */
  private static Tensor byHead(Tensor x) {
    return x.permute(0, 2, 1, 3);
  }

  /** The definition, in doubles. */
  private double[] expected(Kind kind) {
    double[] out = new double[VALUE_WIDTH * HEADS * QUERIES * ITEMS];
    double[] weights = new double[KEYS];
    for (int i = 0; i < HEADS * QUERIES * ITEMS; i++) {
      int head = i % HEADS;
      int query = i / HEADS % QUERIES;
      int item = i / HEADS / QUERIES;
      int shared = head / (HEADS / HEADS_KV);
      double sum = 0;
      for (int key = 0; key < KEYS; key++) {
        int at = (item * KEYS + key) * HEADS_KV + shared;
        weights[key] = Math.exp(SCALE * dot(i, at) + kind.added(item, head, query, key));
        sum += weights[key];
      }
      for (int key = 0; key < KEYS && sum > 0; key++) {
        int at = (item * KEYS + key) * HEADS_KV + shared;
        for (int j = 0; j < VALUE_WIDTH; j++) {
          out[i * VALUE_WIDTH + j] += weights[key] / sum * v[at * VALUE_WIDTH + j];
        }
      }
    }
    return out;
  }

  private double dot(int query, int key) {
    double sum = 0;
    for (int i = 0; i < WIDTH; i++) {
      sum += (double) q[query * WIDTH + i] * k[key * WIDTH + i];
    }
    return sum;
  }

  private static void assertNear(float[] found, double[] expected, double tolerance) {
    for (int i = 0; i < found.length; i++) {
      assertThat((double) found[i]).as("number %d", i).isCloseTo(expected[i], within(tolerance));
    }
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void isExactInF32OnAnyNumberOfThreads(Kind kind) {
    float[] one = computed(kind, Accelerator.OPENBLAS, 1, false);
    assertNear(one, expected(kind), 5e-6);
    for (int nThreads : new int[] {2, 5}) {
      assertThat(computed(kind, Accelerator.OPENBLAS, nThreads, false)).isEqualTo(one);
    }
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void isComputedByGgmlWhereThereIsNoAccelerator(Kind kind) {
    try (var cpu = new Backend(Device.cpu(), 2);
        var scheduler = new Scheduler(cpu)) {
      assertNear(computed(kind, scheduler, true), expected(kind), 5e-6);
    }
  }

  @ParameterizedTest
  @CsvSource({"ONEDNN, false, 5e-6", "AUTO, true, 2e-2"})
  void isExactAsItsLibraryIs(Accelerator which, boolean rounded, double tolerance) {
    for (Kind kind : Kind.values()) {
      assertNear(computed(kind, which, 2, rounded), expected(kind), tolerance);
    }
  }

  /** A block is computed with what its queries attend to, in units of what kernels take at once. */
  @ParameterizedTest
  @CsvSource({"false", "true"})
  void readsNoKeysThatAreHiddenFromAWholeBlock(boolean rounded) {
    float[] before = computed(Kind.PADDED, Accelerator.AUTO, 2, rounded);
    int first = Math.ceilDiv(KEYS - 30, 32) * 32; // of the first item, behind the last unit
    Arrays.fill(k, first * HEADS_KV * WIDTH, KEYS * HEADS_KV * WIDTH, Float.NaN);
    Arrays.fill(v, first * HEADS_KV * VALUE_WIDTH, KEYS * HEADS_KV * VALUE_WIDTH, Float.NaN);
    assertThat(computed(Kind.PADDED, Accelerator.AUTO, 2, rounded)).isEqualTo(before);
  }
}
