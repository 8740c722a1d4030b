package dev.ocellus.vlm.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The processor of DeepSeek-OCR, restated as it stands in its repository, is the expectation. */
class NgramGuardTest {
  private static final int N_TOKENS = 6;

  private static Set<Integer> expected(List<Integer> ids, int size, int window, Set<Integer> free) {
    Set<Integer> banned = new HashSet<>();
    if (ids.size() < size) {
      return banned;
    }
    List<Integer> prefix = ids.subList(ids.size() - (size - 1), ids.size());
    int start = Math.max(0, ids.size() - window);
    int end = ids.size() - size + 1;
    for (int i = start; i < end; i++) {
      List<Integer> ngram = ids.subList(i, i + size);
      if (ngram.subList(0, size - 1).equals(prefix)) {
        banned.add(ngram.get(size - 1));
      }
    }
    banned.removeAll(free);
    return banned;
  }

  @Test
  void bansWhatTheProcessorOfDeepSeekOcrBans() {
    Random random = new Random(3);
    int nBanned = 0;
    for (int run = 0; run < 3000; run++) {
      int size = 2 + random.nextInt(3);
      int window = size + random.nextInt(12);
      Set<Integer> free = random.nextBoolean() ? Set.of() : Set.of(random.nextInt(N_TOKENS));
      List<Integer> ids = new ArrayList<>();
      for (int i = random.nextInt(20); i > 0; i--) {
        ids.add(random.nextInt(random.nextBoolean() ? 2 : N_TOKENS));
      }
      float[] logits = new float[N_TOKENS];
      int[] answer = Arrays.copyOf(ids.stream().mapToInt(i -> i).toArray(), ids.size() + 4);
      new NgramGuard(size, window, Set.of()).apply(logits, answer, ids.size(), free);
      Set<Integer> found = new HashSet<>();
      for (int i = 0; i < N_TOKENS; i++) {
        if (logits[i] == Float.NEGATIVE_INFINITY) {
          found.add(i);
        }
      }
      assertThat(found)
          .as("%s %d %d %s", ids, size, window, free)
          .isEqualTo(expected(ids, size, window, free));
      nBanned += found.size();
    }
    assertThat(nBanned).isGreaterThan(1000);
  }

  @Test
  void refusesSizesThatGuardNothing() {
    assertThatThrownBy(() -> new NgramGuard(1, 10, Set.of()))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new NgramGuard(5, 4, Set.of()))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
