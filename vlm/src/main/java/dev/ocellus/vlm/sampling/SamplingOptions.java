package dev.ocellus.vlm.sampling;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * The settings of a {@link SamplerChain}, with the names, meanings and defaults of llama.cpp. The
 * ranges are those of {@link Samplers}; a value out of range is refused when the options are made.
 *
 * @param seed −1 for a random one, which {@link SamplerChain#seed} tells
 * @param minKeep how many candidates each filter leaves at least
 * @param topK 0 or less: off
 * @param topP 1 or more: off
 * @param minP 0: off
 * @param typicalP 1 or more: off
 * @param topNSigma 0 or less: off
 * @param xtcProbability 0: off
 * @param xtcThreshold more than 0.5: off
 * @param temperature 0 or less: the likeliest token
 * @param dynatempRange 0: off
 * @param dynatempExponent how entropy maps to temperature
 * @param penaltyLastN how many of the latest tokens the penalties regard; 0: off
 * @param repeatPenalty 1: off
 * @param frequencyPenalty 0: off
 * @param presencePenalty 0: off
 * @param dryMultiplier 0: off
 * @param dryBase less than 1: off
 * @param dryAllowedLength the longest repetition without penalty, in tokens
 * @param dryPenaltyLastN how many of the latest tokens DRY searches; 0: off
 * @param drySequenceBreakers texts at which a repetition ends
 * @param mirostat version 1 or 2, which then replaces all samplers but temperature and bias; 0: off
 * @param mirostatTau target surprise in bits
 * @param mirostatEta learning rate
 * @param adaptiveTarget target probability; negative: plain distribution. Counts only with {@link
 *     SamplerKind#ADAPTIVE_P} among the samplers
 * @param adaptiveDecay how much of the past adaptive-p regards, 0 to 0.99
 * @param logitBias added to the logits of tokens; −∞ forbids
 * @param samplers order of application
 */
public record SamplingOptions(
    long seed,
    int minKeep,
    int topK,
    float topP,
    float minP,
    float typicalP,
    float topNSigma,
    float xtcProbability,
    float xtcThreshold,
    float temperature,
    float dynatempRange,
    float dynatempExponent,
    int penaltyLastN,
    float repeatPenalty,
    float frequencyPenalty,
    float presencePenalty,
    float dryMultiplier,
    float dryBase,
    int dryAllowedLength,
    int dryPenaltyLastN,
    List<String> drySequenceBreakers,
    int mirostat,
    float mirostatTau,
    float mirostatEta,
    float adaptiveTarget,
    float adaptiveDecay,
    Map<Integer, Float> logitBias,
    List<SamplerKind> samplers) {

  public SamplingOptions {
    drySequenceBreakers = List.copyOf(drySequenceBreakers);
    logitBias = Map.copyOf(logitBias);
    samplers = List.copyOf(samplers);
    if (mirostat < 0 || mirostat > 2) {
      throw new IllegalArgumentException("mirostat: expected 0 (off), 1 or 2, found " + mirostat);
    }
    if (drySequenceBreakers.contains("")) {
      throw new IllegalArgumentException(
          "drySequenceBreakers: expected non-empty strings, found an empty one");
    }
    // Each factory checks its own parameters, also of samplers that the order leaves out.
    Samplers.logitBias(logitBias);
    Samplers.temperature(temperature);
    Samplers.topP(topP, minKeep);
    Samplers.minP(minP, minKeep);
    Samplers.typical(typicalP, minKeep);
    Samplers.topNSigma(topNSigma);
    Samplers.xtc(xtcProbability, xtcThreshold, minKeep, seed);
    Samplers.dynamicTemperature(temperature, dynatempRange, dynatempExponent);
    Samplers.penalties(penaltyLastN, repeatPenalty, frequencyPenalty, presencePenalty);
    Samplers.dry(dryMultiplier, dryBase, dryAllowedLength, dryPenaltyLastN, DryBreakers.none());
    Samplers.mirostatV2(seed, mirostatTau, mirostatEta);
    Samplers.adaptiveP(adaptiveTarget, adaptiveDecay, seed);
  }

  /** llama.cpp's defaults. */
  public static SamplingOptions defaults() {
    return builder().build();
  }

  /** The likeliest token each time. */
  public static SamplingOptions greedy() {
    return builder().temperature(0).build();
  }

  /** A builder that starts with llama.cpp's defaults. */
  public static SamplingOptionsBuilder builder() {
    return new SamplingOptionsBuilder();
  }

  /** A builder that starts with these options. */
  public SamplingOptionsBuilder toBuilder() {
    return new SamplingOptionsBuilder(this);
  }

  /**
   * Builds the chain, for options without DRY.
   *
   * @throws IllegalArgumentException if DRY is on, which needs a vocabulary for its breakers
   */
  public SamplerChain toChain() {
    return toChain(() -> {
      if (drySequenceBreakers.isEmpty()) {
        return DryBreakers.none();
      }
      throw new IllegalArgumentException(
          "dryMultiplier: DRY with sequence breakers needs the vocabulary; call toChain(vocabulary)");
    });
  }

  /** Builds the chain; the vocabulary tells in which tokens DRY's breakers may appear. */
  public SamplerChain toChain(TokenVocabulary vocabulary) {
    return toChain(() -> DryBreakers.ofTexts(drySequenceBreakers, vocabulary));
  }

  private SamplerChain toChain(Supplier<DryBreakers> breakers) {
    long drawn = MersenneTwister.resolve(seed); // one for all samplers, so that it reproduces all
    List<Sampler> chain = new ArrayList<>();
    chain.add(Samplers.logitBias(logitBias));
    switch (mirostat) {
      case 1 -> {
        chain.add(Samplers.temperature(temperature));
        chain.add(Samplers.mirostat(drawn, mirostatTau, mirostatEta, 100));
      }
      case 2 -> {
        chain.add(Samplers.temperature(temperature));
        chain.add(Samplers.mirostatV2(drawn, mirostatTau, mirostatEta));
      }
      default -> {
        samplers.stream()
            .filter(kind -> kind != SamplerKind.ADAPTIVE_P)
            .forEach(kind -> chain.add(sampler(kind, drawn, breakers)));
        chain.add(
            samplers.contains(SamplerKind.ADAPTIVE_P)
                ? sampler(SamplerKind.ADAPTIVE_P, drawn, breakers)
                : Samplers.distribution(drawn));
      }
    }
    return new SamplerChain(chain);
  }

  private Sampler sampler(SamplerKind kind, long drawn, Supplier<DryBreakers> breakers) {
    return switch (kind) {
      case PENALTIES ->
          Samplers.penalties(penaltyLastN, repeatPenalty, frequencyPenalty, presencePenalty);
      case DRY ->
          Samplers.dry(
              dryMultiplier,
              dryBase,
              dryAllowedLength,
              dryPenaltyLastN,
              dryMultiplier == 0 ? DryBreakers.none() : breakers.get());
      case TOP_N_SIGMA -> Samplers.topNSigma(topNSigma);
      case TOP_K -> Samplers.topK(topK);
      case TYPICAL_P -> Samplers.typical(typicalP, minKeep);
      case TOP_P -> Samplers.topP(topP, minKeep);
      case MIN_P -> Samplers.minP(minP, minKeep);
      case XTC -> Samplers.xtc(xtcProbability, xtcThreshold, minKeep, drawn);
      case TEMPERATURE -> Samplers.dynamicTemperature(temperature, dynatempRange, dynatempExponent);
      case ADAPTIVE_P -> Samplers.adaptiveP(adaptiveTarget, adaptiveDecay, drawn);
    };
  }
}
