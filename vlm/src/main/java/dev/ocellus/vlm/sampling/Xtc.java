package dev.ocellus.vlm.sampling;

import java.util.OptionalLong;

/**
 * XTC, "exclude top choices": with some probability drops all candidates over a threshold but the
 * least likely of them (github.com/oobabooga/text-generation-webui/pull/6335).
 */
final class Xtc implements Sampler {
  private final float probability;
  private final float threshold;
  private final int minKeep;
  private final MersenneTwister random;

  Xtc(float probability, float threshold, int minKeep, long seed) {
    this.probability = probability;
    this.threshold = threshold;
    this.minKeep = minKeep;
    random = new MersenneTwister(seed);
  }

  @Override
  public void apply(Candidates candidates) {
    if (candidates.size() < 2 || random.nextFloat() > probability) {
      return;
    }
    candidates.sort();
    candidates.softmax();
    int reaching = 0;
    while (reaching < candidates.size() && candidates.probability(reaching) >= threshold) {
      reaching++;
    }
    int dropped = reaching - 1;
    if (dropped > 0 && candidates.size() - dropped >= minKeep) {
      candidates.dropFirst(dropped);
    }
  }

  @Override
  public void reset() {
    random.reset();
  }

  @Override
  public OptionalLong seed() {
    return OptionalLong.of(random.seed());
  }
}
