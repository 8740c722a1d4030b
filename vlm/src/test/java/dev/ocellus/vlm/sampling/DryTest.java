package dev.ocellus.vlm.sampling;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.List;
import org.junit.jupiter.api.Test;

/** Breakers; the penalties themselves are compared with llama.cpp's. */
class DryTest {
  private static final List<String> WORDS = List.of("a", "b", "\n", "b\na", "x\r", "\r\n", "\r");

  private static final TokenVocabulary VOCABULARY =
      new TokenVocabulary() {
        @Override
        public int size() {
          return WORDS.size();
        }

        @Override
        public byte[] bytes(int token) {
          return WORDS.get(token).getBytes(UTF_8);
        }

        @Override
        public int[] tokenize(byte[] utf8) {
          return new String(utf8, UTF_8)
              .chars()
              .map(c -> WORDS.indexOf(String.valueOf((char) c)))
              .toArray();
        }
      };

  private static float[] penalized(DryBreakers breakers, int... history) {
    Sampler dry = Samplers.dry(1, 2, 2, 64, breakers);
    for (int token : history) {
      dry.accept(token);
    }
    Candidates candidates = new Candidates();
    candidates.start(new float[8]);
    dry.apply(candidates);
    return candidates.logits();
  }

  @Test
  void aRepetitionIsPenalizedByItsLength() {
    // 1 2 3 was followed by 4, and 2 3 by 5.
    float[] logits = penalized(DryBreakers.none(), 1, 2, 3, 4, 2, 3, 5, 1, 2, 3);
    assertThat(logits).containsExactly(0, 0, 0, 0, -2, -1, 0, 0);
  }

  @Test
  void aBreakerEndsARepetitionAndIsNoPenalizedTokenItself() {
    DryBreakers breakers = DryBreakers.ofTokens(List.of(new int[] {1}, new int[] {5}));
    float[] logits = penalized(breakers, 1, 2, 3, 4, 2, 3, 5, 1, 2, 3);
    assertThat(logits).containsExactly(0, 0, 0, 0, -1, 0, 0, 0);
  }

  @Test
  void aBreakerOfSeveralTokensCountsOnlyAsAWhole() {
    DryBreakers breakers = DryBreakers.ofTokens(List.of(new int[] {7, 6}));
    assertThat(breakers.sinceLatest(new int[] {1, 2, 6, 7, 3})).isEqualTo(2);
    assertThat(breakers.sinceLatest(new int[] {1, 6, 2, 7, 3})).isEqualTo(5);
    assertThat(breakers.isBreaker(7)).isFalse();
  }

  @Test
  void textsAreFoundInsideAndAcrossTokens() {
    DryBreakers breakers = DryBreakers.ofTexts(List.of("\r\n"), VOCABULARY);
    assertThat(breakers.isBreaker(WORDS.indexOf("\r\n"))).isTrue();
    assertThat(breakers.isBreaker(WORDS.indexOf("\r"))).isFalse();
    int open = WORDS.indexOf("x\r");
    assertThat(breakers.sinceLatest(new int[] {0, WORDS.indexOf("\n"), open, 0})).isEqualTo(1);
    assertThat(breakers.sinceLatest(new int[] {0, WORDS.indexOf("a"), open, 0})).isEqualTo(4);
  }

  @Test
  void emptyBreakersAreRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> DryBreakers.ofTexts(List.of(""), VOCABULARY));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> DryBreakers.ofTokens(List.of(new int[0])));
  }
}
