package dev.ocellus.vlm.sampling;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Comparator;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class TopSelectorTest {
  private final TopSelector selector = new TopSelector();

  @Test
  void agreesWithASortForAllSizesAndKindsOfTies() {
    SplittableRandom random = new SplittableRandom(1);
    for (int n = 0; n < 1500; n++) {
      int size = n % 50 == 0 ? random.nextInt(5000, 60_000) : random.nextInt(1, 1500);
      float[] logits = logits(random, size);
      int k = random.nextInt(3) == 0 ? random.nextInt(1, size + 1) : random.nextInt(1, 50);
      check(logits, Math.min(k, size));
    }
  }

  private void check(float[] logits, int k) {
    int[] expected =
        IntStream.range(0, logits.length)
            .boxed()
            .sorted(Comparator.comparingDouble(i -> -logits[i] + 0.0))
            .limit(k)
            .mapToInt(i -> i)
            .toArray();
    long[] keys = selector.largest(logits, logits.length, k, false);
    assertThat(Arrays.stream(keys, 0, k).mapToInt(TopSelector::index).toArray())
        .as("%d of %d", k, logits.length)
        .isEqualTo(expected);
  }

  private static float[] logits(SplittableRandom random, int size) {
    int kind = random.nextInt(5);
    int escaping = random.nextInt(1, 60);
    float[] logits = new float[size];
    for (int i = 0; i < size; i++) {
      logits[i] =
          switch (kind) {
            case 0 -> (float) random.nextDouble(-30, 30);
            case 1 -> random.nextInt(5) - 2f;
            case 2 -> 1;
            case 3 -> i % escaping == 0 ? (float) random.nextDouble(-1, 1) : -0f;
            default ->
                random.nextInt(size) < escaping
                    ? (float) random.nextDouble(-5, 5)
                    : Float.NEGATIVE_INFINITY;
          };
    }
    return logits;
  }

  @Test
  void findsTheMaximumAndItsFirstPlace() {
    SplittableRandom random = new SplittableRandom(2);
    for (int n = 0; n < 500; n++) {
      float[] logits = logits(random, random.nextInt(1, 9000));
      float max = selector.scan(logits, logits.length);
      int first = 0;
      for (int i = 1; i < logits.length; i++) {
        first = logits[i] > logits[first] ? i : first;
      }
      assertThat(max == logits[first]).isTrue();
      assertThat(selector.indexOfMax(logits, logits.length, max)).isEqualTo(first);
    }
  }

  @Test
  void aSingleNanShowsInTheMaximum() {
    float[] logits = new float[10_000];
    logits[7777] = Float.NaN;
    assertThat(selector.scan(logits, logits.length)).isNaN();
  }

  @Test
  void nanLeftBehindDoesNotBreakTheSelection() {
    float[] logits = new float[10_000];
    Arrays.fill(logits, Float.NaN);
    assertThat(selector.largest(logits, logits.length, 40, false).length)
        .isGreaterThanOrEqualTo(40);
  }
}
