package dev.ocellus.vlm.sampling;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Searches know the biases of tokens, as sampling does. */
class TokenSearchTest {
  private static final float[] LOGITS = {0, 3, 1, 2};

  private static int[] found(int beams, Map<Integer, Float> bias) {
    var context = new SearchContext(new int[0], new int[0], 2, bias);
    TokenSearch search = TokenSearch.of(BeamOptions.of(beams), context);
    while (search.next(branch -> LOGITS.clone())) {
      continue;
    }
    return search.best().tokens();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void biasesTokens(int beams) {
    assertThat(found(beams, Map.of())).containsExactly(1, 1);
    assertThat(found(beams, Map.of(0, 5f))).containsExactly(0, 0);
    assertThat(found(beams, Map.of(1, Float.NEGATIVE_INFINITY))).containsExactly(3, 3);
    assertThat(found(beams, Map.of(9, 5f))).containsExactly(1, 1); // no token of this vocabulary
  }
}
