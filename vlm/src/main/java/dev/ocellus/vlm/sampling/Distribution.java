package dev.ocellus.vlm.sampling;

import java.util.OptionalLong;

/** Draws a token by its probability. */
final class Distribution implements Sampler {
  private final MersenneTwister random;

  Distribution(long seed) {
    random = new MersenneTwister(seed);
  }

  @Override
  public void apply(Candidates candidates) {
    int size = candidates.size();
    float[] logits = candidates.logits();
    float[] probabilities = candidates.probabilities();
    float max = candidates.requireFinite("distribution", candidates.maxLogit());
    double draw = random.nextDouble(); // also for a single candidate: one draw for each token
    double sum = 0;
    for (int i = 0; i < size; i++) {
      float p = Exp.exp(logits[i] - max);
      probabilities[i] = p;
      sum += p;
    }
    candidates.requireFinite("distribution", (float) sum);
    double target = sum * draw;
    int chosen = 0;
    double running = probabilities[0];
    while (running < target && chosen < size - 1) {
      running += probabilities[++chosen];
    }
    for (int i = 0; i < size; i++) {
      probabilities[i] = (float) (probabilities[i] / sum);
    }
    candidates.select(chosen);
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
