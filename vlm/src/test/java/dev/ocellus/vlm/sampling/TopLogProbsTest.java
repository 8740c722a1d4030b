package dev.ocellus.vlm.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.nio.FloatBuffer;
import org.junit.jupiter.api.Test;

class TopLogProbsTest {
  private static final float[] LOGITS = {
    (float) Math.log(0.1) + 50,
    (float) Math.log(0.6) + 50,
    Float.NEGATIVE_INFINITY,
    (float) Math.log(0.3) + 50
  };

  @Test
  void listsTheLikeliestAndTheChosen() {
    TopLogProbs found = TopLogProbs.of(LOGITS, 2, 0);
    assertThat(found.chosen().logProb()).isCloseTo((float) Math.log(0.1), within(1e-5f));
    assertThat(found.top()).extracting(TopLogProbs.Entry::token).containsExactly(1, 3);
    assertThat(found.top().getFirst().logProb()).isCloseTo((float) Math.log(0.6), within(1e-5f));
    assertThat(TopLogProbs.of(LOGITS, 0, 2).chosen().logProb()).isEqualTo(Float.NEGATIVE_INFINITY);
    assertThat(TopLogProbs.of(LOGITS, 99, 0).top()).hasSize(4);
    assertThat(TopLogProbs.of(FloatBuffer.wrap(LOGITS), 2, 0)).isEqualTo(found);
  }

  @Test
  void refusesWhatIsNoDistributionOrNoToken() {
    assertThatThrownBy(() -> TopLogProbs.of(new float[] {1, Float.NaN}, 1, 0))
        .isInstanceOf(SamplingException.class);
    assertThatIllegalArgumentException().isThrownBy(() -> TopLogProbs.of(LOGITS, 1, 4));
    assertThatIllegalArgumentException().isThrownBy(() -> TopLogProbs.of(LOGITS, -1, 0));
  }
}
