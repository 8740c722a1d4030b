package dev.ocellus.vlm.sampling;

import java.util.OptionalLong;

/**
 * Mirostat (Basu et al., arXiv:2007.14966): steers the surprise of the text towards a target by a
 * limit {@code mu} that follows the surprise of each chosen token. Selects a token.
 */
final class Mirostat implements Sampler {
  private static final double LN_2 = Math.log(2);

  private final boolean estimatesZipf;
  private final float tau;
  private final float eta;
  private final int m;
  private final MersenneTwister random;
  private float mu;

  private Mirostat(boolean estimatesZipf, long seed, float tau, float eta, int m) {
    this.estimatesZipf = estimatesZipf;
    this.tau = tau;
    this.eta = eta;
    this.m = m;
    random = new MersenneTwister(seed);
    mu = 2 * tau;
  }

  /** The first version: estimates the exponent of Zipf's law from the m likeliest tokens. */
  static Mirostat version1(long seed, float tau, float eta, int m) {
    return new Mirostat(true, seed, tau, eta, m);
  }

  /** The second version: drops what is more surprising than the limit. */
  static Mirostat version2(long seed, float tau, float eta) {
    return new Mirostat(false, seed, tau, eta, 0);
  }

  @Override
  public void apply(Candidates candidates) {
    candidates.sort();
    candidates.softmax();
    candidates.truncate(estimatesZipf ? zipfLimit(candidates) : surpriseLimit(candidates));
    candidates.softmax();
    float[] probabilities = candidates.probabilities();
    int chosen = random.nextIndex(probabilities, candidates.size());
    candidates.select(chosen);
    mu -= eta * (-log2(probabilities[chosen]) - tau);
  }

  private int surpriseLimit(Candidates candidates) {
    int kept = 0;
    while (kept < candidates.size() && -log2(candidates.probability(kept)) <= mu) {
      kept++;
    }
    return Math.max(1, kept);
  }

  private int zipfLimit(Candidates candidates) {
    float[] p = candidates.probabilities();
    float products = 0;
    float squares = 0;
    for (int i = 0; i < m - 1 && i < candidates.size() - 1; i++) {
      float t = (float) Math.log((i + 2f) / (i + 1f));
      float b = (float) Math.log(p[i] / p[i + 1]);
      products += t * b;
      squares += t * t;
    }
    float s = products / squares;
    float epsilon = s - 1;
    float power = (float) Math.pow(2, mu);
    float zipf = 1 - (float) Math.pow(candidates.vocabularySize(), -epsilon);
    float k = (float) Math.pow(epsilon * power / zipf, 1 / s);
    // NaN, where the tokens allow no estimate, gives 1; +infinity gives all.
    return Math.clamp((int) k, 1, candidates.size());
  }

  private static float log2(float x) {
    return (float) (Math.log(x) / LN_2);
  }

  @Override
  public void reset() {
    random.reset();
    mu = 2 * tau;
  }

  @Override
  public OptionalLong seed() {
    return OptionalLong.of(random.seed());
  }
}
