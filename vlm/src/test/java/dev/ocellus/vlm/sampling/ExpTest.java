package dev.ocellus.vlm.sampling;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class ExpTest {
  @Test
  void isTheFloatNextToTheTrueValue() {
    SplittableRandom random = new SplittableRandom(4);
    int different = 0;
    for (int i = 0; i < 200_000; i++) {
      float x = (float) random.nextDouble(-104, 89);
      float expected = (float) Math.exp(x);
      float found = Exp.exp(x);
      if (found != expected) {
        different++;
        assertThat(Math.abs(found - expected)).isLessThanOrEqualTo(Math.ulp(expected));
      }
    }
    assertThat(different).isLessThan(10);
  }

  @Test
  void goesToItsLimits() {
    assertThat(Exp.exp(0)).isEqualTo(1);
    assertThat(Exp.exp(Float.NEGATIVE_INFINITY)).isZero();
    assertThat(Exp.exp(-1e30f)).isZero();
    assertThat(Exp.exp(Float.POSITIVE_INFINITY)).isEqualTo(Float.POSITIVE_INFINITY);
    assertThat(Exp.exp(88.9f)).isEqualTo(Float.POSITIVE_INFINITY);
    assertThat(Exp.exp(Float.NaN)).isNaN();
  }
}
