package dev.ocellus.vlm.sampling;

import java.util.Map;

/**
 * Makes samplers with the meaning of llama.cpp's {@code llama_sampler_init_*} functions.
 *
 * <p>Where a parameter switches a sampler off, the result does nothing. Parameters that are NaN or
 * out of range are refused with an {@link IllegalArgumentException}. {@code minKeep} is the number
 * of candidates that a filter leaves at least, where there are as many. A {@code seed} is 0 to
 * 2³²−2, or −1 for a random one, which {@link Sampler#seed} then tells; random numbers are those of
 * MT19937, so that llama.cpp (built with libstdc++) draws the same tokens with the same seed.
 *
 * <p>Where llama.cpp leaves the order of equal logits open, here the lower token comes first.
 */
public final class Samplers {
  private static final Sampler NOTHING = candidates -> {};

  private Samplers() {}

  /** Selects the first candidate with the largest logit. */
  public static Sampler greedy() {
    return candidates -> candidates.select(candidates.placeOfMax());
  }

  /** Selects a candidate by chance, by its probability. */
  public static Sampler distribution(long seed) {
    return new Distribution(seed);
  }

  /**
   * Divides the logits by {@code temperature}.
   *
   * @param temperature finite; 0 or less masks all but the largest logit
   */
  public static Sampler temperature(float temperature) {
    SamplingChecks.finite("temperature", temperature);
    return temperature == 1 ? NOTHING : candidates -> Temperature.scale(candidates, temperature);
  }

  /**
   * Divides the logits by a temperature that is higher where the model is less certain.
   *
   * @param temperature finite; the middle
   * @param range at least 0: how far the temperature goes up and down; 0 keeps it fixed
   * @param exponent finite; how the entropy, from 0 to 1, maps to the temperature
   */
  public static Sampler dynamicTemperature(float temperature, float range, float exponent) {
    SamplingChecks.finite("temperature", temperature);
    SamplingChecks.atLeast("dynatempRange", range, 0);
    SamplingChecks.finite("dynatempExponent", exponent);
    return range == 0
        ? temperature(temperature)
        : candidates -> Temperature.dynamic(candidates, temperature, range, exponent);
  }

  /** Keeps the {@code k} largest logits, sorted; 0 or less switches it off. */
  public static Sampler topK(int k) {
    return k <= 0 ? NOTHING : candidates -> candidates.keepTop(k);
  }

  /**
   * Keeps the likeliest candidates whose probabilities add up to {@code p}, sorted.
   *
   * @param p at least 0; 1 or more switches it off
   */
  public static Sampler topP(float p, int minKeep) {
    SamplingChecks.atLeast("topP", p, 0);
    SamplingChecks.atLeast("minKeep", minKeep, 0);
    return p >= 1 ? NOTHING : candidates -> Truncation.topP(candidates, p, minKeep);
  }

  /**
   * Keeps the candidates at least {@code p} times as likely as the likeliest.
   *
   * @param p from 0 to 1; 0 switches it off
   */
  public static Sampler minP(float p, int minKeep) {
    SamplingChecks.between("minP", p, 0, 1);
    SamplingChecks.atLeast("minKeep", minKeep, 0);
    return p == 0 ? NOTHING : candidates -> Truncation.minP(candidates, p, minKeep);
  }

  /**
   * Keeps the candidates with the most typical surprise whose probabilities add up to more than
   * {@code p}, the most typical first.
   *
   * @param p at least 0; 1 or more switches it off
   */
  public static Sampler typical(float p, int minKeep) {
    SamplingChecks.atLeast("typicalP", p, 0);
    SamplingChecks.atLeast("minKeep", minKeep, 0);
    return p >= 1 ? NOTHING : candidates -> Truncation.typical(candidates, p, minKeep);
  }

  /**
   * Masks the logits more than {@code n} standard deviations below the largest.
   *
   * @param n finite; 0 or less switches it off
   */
  public static Sampler topNSigma(float n) {
    SamplingChecks.finite("topNSigma", n);
    return n <= 0 ? NOTHING : candidates -> Truncation.topNSigma(candidates, n);
  }

  /**
   * With some probability drops all candidates that reach the threshold but the least likely of
   * them.
   *
   * @param probability from 0 to 1; 0 switches it off
   * @param threshold from 0 to 1; more than 0.5, which two candidates cannot reach, switches it off
   */
  public static Sampler xtc(float probability, float threshold, int minKeep, long seed) {
    SamplingChecks.between("xtcProbability", probability, 0, 1);
    SamplingChecks.between("xtcThreshold", threshold, 0, 1);
    SamplingChecks.atLeast("minKeep", minKeep, 0);
    SamplingChecks.seed(seed);
    boolean off = probability == 0 || threshold > 0.5f;
    return off ? NOTHING : new Xtc(probability, threshold, minKeep, seed);
  }

  /**
   * Makes the accepted tokens less likely.
   *
   * @param lastN at least 0: how many of the latest tokens count; 0 switches it off
   * @param repeat over 0, and its inverse finite: divides positive logits and multiplies others; 1
   *     leaves them
   * @param frequency finite: subtracted for each occurrence
   * @param presence finite: subtracted once
   */
  public static Sampler penalties(int lastN, float repeat, float frequency, float presence) {
    SamplingChecks.atLeast("penaltyLastN", lastN, 0);
    SamplingChecks.atLeast("repeatPenalty", repeat, Float.MIN_NORMAL);
    SamplingChecks.finite("frequencyPenalty", frequency);
    SamplingChecks.finite("presencePenalty", presence);
    boolean off = lastN == 0 || (repeat == 1 && frequency == 0 && presence == 0);
    return off ? NOTHING : new Penalties(lastN, repeat, frequency, presence);
  }

  /**
   * Penalizes tokens that would prolong a repetition by {@code multiplier · base^(length −
   * allowedLength)}.
   *
   * @param multiplier at least 0; 0 switches it off
   * @param base at least 0; less than 1 switches it off
   * @param allowedLength at least 0: the longest repetition without penalty
   * @param lastN at least 0: how many of the latest tokens are searched; 0 switches it off
   */
  public static Sampler dry(
      float multiplier, float base, int allowedLength, int lastN, DryBreakers breakers) {
    SamplingChecks.atLeast("dryMultiplier", multiplier, 0);
    SamplingChecks.atLeast("dryBase", base, 0);
    SamplingChecks.atLeast("dryAllowedLength", allowedLength, 0);
    SamplingChecks.atLeast("dryPenaltyLastN", lastN, 0);
    boolean off = multiplier == 0 || base < 1 || lastN == 0;
    return off ? NOTHING : new Dry(multiplier, base, allowedLength, lastN, breakers);
  }

  /**
   * Adds to the logits of tokens; tokens that are no candidates are ignored.
   *
   * @param bias by token; −∞ forbids a token, NaN and +∞ are refused
   */
  public static Sampler logitBias(Map<Integer, Float> bias) {
    bias.forEach((token, amount) -> {
      SamplingChecks.token(token);
      if (amount != Float.NEGATIVE_INFINITY) {
        SamplingChecks.finite("logitBias of token " + token, amount);
      }
    });
    return bias.isEmpty() ? NOTHING : new LogitBias(bias);
  }

  /**
   * Rules out what a constraint forbids, for the front of a chain. {@link ConstrainedSampler} does
   * the same in less time.
   */
  public static Sampler constraint(TokenConstraint constraint) {
    return new Sampler() {
      @Override
      public void apply(Candidates candidates) {
        constraint.mask(candidates);
      }

      @Override
      public void accept(int token) {
        constraint.accept(token);
      }

      @Override
      public void reset() {
        constraint.reset();
      }
    };
  }

  /**
   * Selects a token so that the surprise of the text comes near {@code tau}.
   *
   * @param tau at least 0: the target, in bits
   * @param eta at least 0: the learning rate
   * @param m at least 2: how many tokens the estimate uses (100 in the paper)
   */
  public static Sampler mirostat(long seed, float tau, float eta, int m) {
    SamplingChecks.atLeast("mirostatTau", tau, 0);
    SamplingChecks.atLeast("mirostatEta", eta, 0);
    SamplingChecks.atLeast("m", m, 2);
    return Mirostat.version1(seed, tau, eta, m);
  }

  /**
   * Selects a token so that the surprise of the text comes near {@code tau}, without an estimate of
   * the distribution's shape.
   *
   * @param tau at least 0: the target, in bits
   * @param eta at least 0: the learning rate
   */
  public static Sampler mirostatV2(long seed, float tau, float eta) {
    SamplingChecks.atLeast("mirostatTau", tau, 0);
    SamplingChecks.atLeast("mirostatEta", eta, 0);
    return Mirostat.version2(seed, tau, eta);
  }

  /**
   * Selects a token near a target probability.
   *
   * @param target at most 1; negative selects by the plain distribution
   * @param decay from 0 to 0.99: how much of the past counts, 1 / (1 − decay) tokens or so
   */
  public static Sampler adaptiveP(float target, float decay, long seed) {
    SamplingChecks.finite("adaptiveTarget", target);
    SamplingChecks.between("adaptiveTarget", target, -Float.MAX_VALUE, 1);
    SamplingChecks.between("adaptiveDecay", decay, 0, 0.99f);
    return new AdaptiveP(target, decay, seed);
  }
}
