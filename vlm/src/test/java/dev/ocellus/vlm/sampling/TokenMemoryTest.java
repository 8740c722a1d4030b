package dev.ocellus.vlm.sampling;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class TokenMemoryTest {
  @Test
  void historyAndCountsAgreeWithTheCollections() {
    SplittableRandom random = new SplittableRandom(6);
    for (int limit : new int[] {1, 2, 63, 64, 65, 1000}) {
      TokenHistory history = new TokenHistory(limit);
      TokenMap counts = new TokenMap();
      Deque<Integer> expected = new ArrayDeque<>();
      for (int i = 0; i < 4000; i++) {
        int token = random.nextInt(1, i < 2000 ? 50 : Integer.MAX_VALUE);
        int gone = history.add(token);
        counts.put(token, counts.get(token) + 1);
        expected.addFirst(token);
        int expectedGone = expected.size() > limit ? expected.removeLast() : -1;
        assertThat(gone).isEqualTo(expectedGone);
        if (gone >= 0) {
          counts.put(gone, counts.get(gone) - 1);
        }
      }
      assertThat(history.latestFirst())
          .isEqualTo(expected.stream().mapToInt(Integer::intValue).toArray());
      Map<Integer, Integer> expectedCounts = new HashMap<>();
      expected.forEach(token -> expectedCounts.merge(token, 1, Integer::sum));
      Map<Integer, Integer> found = new HashMap<>();
      counts.forEach(found::put);
      assertThat(found).isEqualTo(expectedCounts);
    }
  }
}
