package dev.ocellus.vlm.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;

class MersenneTwisterTest {
  @Test
  void givesTheNumberThatTheCppStandardNames() {
    MersenneTwister random = new MersenneTwister(5489);
    for (int i = 1; i < 10_000; i++) {
      random.nextInt();
    }
    assertThat(Integer.toUnsignedLong(random.nextInt())).isEqualTo(4123659995L); // [rand.predef]
  }

  @Test
  void startsAnewOnReset() {
    MersenneTwister random = new MersenneTwister(7);
    double first = random.nextDouble();
    random.nextFloat();
    random.reset();
    assertThat(random.nextDouble()).isEqualTo(first);
  }

  @Test
  void aRandomSeedReproducesItsNumbers() {
    MersenneTwister random = new MersenneTwister(-1);
    assertThat(random.seed()).isBetween(0L, 0xFFFF_FFFEL);
    assertThat(new MersenneTwister(random.seed()).nextInt()).isEqualTo(random.nextInt());
  }

  @Test
  void refusesSeedsOutOfRange() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new MersenneTwister(1L << 32))
        .withMessageContaining("seed")
        .withMessageContaining("4294967296");
    assertThatIllegalArgumentException().isThrownBy(() -> new MersenneTwister(-2));
  }
}
