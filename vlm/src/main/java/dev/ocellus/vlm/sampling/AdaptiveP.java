package dev.ocellus.vlm.sampling;

import java.util.OptionalLong;

/**
 * Adaptive-p (github.com/ggml-org/llama.cpp/pull/17927): favours tokens whose probability is near a
 * target, which it moves so that the mean probability of the chosen tokens comes out at the target.
 * Selects a token.
 */
final class AdaptiveP implements Sampler {
  /** Shape of the preference around the target: its width, its height and its steepness. */
  private static final float INVERSE_WIDTH = 1 / 0.3f;

  private static final float PEAK = 5;
  private static final float SHARPNESS = 10;
  private static final int NONE = -1;

  private final float target;
  private final float decay;
  private final MersenneTwister random;
  private float[] original = new float[0];
  private float weightedSum;
  private float totalWeight;
  private int pendingToken = NONE;
  private float pendingProbability;

  AdaptiveP(float target, float decay, long seed) {
    this.target = target;
    this.decay = decay;
    random = new MersenneTwister(seed);
    restart();
  }

  private void restart() {
    weightedSum = target / (1 - decay);
    totalWeight = 1 / (1 - decay);
    pendingToken = NONE;
  }

  @Override
  public void apply(Candidates candidates) {
    candidates.softmax();
    int size = candidates.size();
    float[] p = candidates.probabilities();
    if (target < 0) {
      candidates.select(random.nextIndex(p, size));
      return;
    }
    if (original.length < size) {
      original = new float[size];
    }
    System.arraycopy(p, 0, original, 0, size);
    float adapted = Math.clamp(2 * target - weightedSum / totalWeight, 0f, 1f);
    float[] logits = candidates.logits();
    for (int i = 0; i < size; i++) {
      if (logits[i] != Float.NEGATIVE_INFINITY) {
        float distance = Math.abs((p[i] - adapted) * INVERSE_WIDTH);
        logits[i] = PEAK - SHARPNESS * distance * distance / (1 + distance);
      }
    }
    candidates.logitsChanged(false);
    candidates.softmax();
    int chosen = random.nextIndex(p, size);
    candidates.select(chosen);
    pendingToken = candidates.token(chosen);
    pendingProbability = original[chosen];
  }

  @Override
  public void accept(int token) {
    if (token == pendingToken) {
      weightedSum = pendingProbability + decay * weightedSum;
      totalWeight = 1 + decay * totalWeight;
    }
    pendingToken = NONE;
  }

  @Override
  public void reset() {
    random.reset();
    restart();
  }

  @Override
  public OptionalLong seed() {
    return OptionalLong.of(random.seed());
  }
}
