package dev.ocellus.vlm.sampling;

import java.util.List;
import java.util.Map;

/** Builds {@link SamplingOptions}, whose components tell what each setting means. */
public final class SamplingOptionsBuilder {
  private long seed = -1;
  private int minKeep = 0;
  private int topK = 40;
  private float topP = 0.95f;
  private float minP = 0.05f;
  private float typicalP = 1;
  private float topNSigma = -1;
  private float xtcProbability = 0;
  private float xtcThreshold = 0.1f;
  private float temperature = 0.8f;
  private float dynatempRange = 0;
  private float dynatempExponent = 1;
  private int penaltyLastN = 64;
  private float repeatPenalty = 1;
  private float frequencyPenalty = 0;
  private float presencePenalty = 0;
  private float dryMultiplier = 0;
  private float dryBase = 1.75f;
  private int dryAllowedLength = 2;
  private int dryPenaltyLastN = 64;
  private List<String> drySequenceBreakers = List.of("\n", ":", "\"", "*");
  private int mirostat = 0;
  private float mirostatTau = 5;
  private float mirostatEta = 0.1f;
  private float adaptiveTarget = -1;
  private float adaptiveDecay = 0.9f;
  private Map<Integer, Float> logitBias = Map.of();
  private List<SamplerKind> samplers = SamplerKind.DEFAULT_ORDER;

  SamplingOptionsBuilder() {}

  SamplingOptionsBuilder(SamplingOptions from) {
    seed = from.seed();
    minKeep = from.minKeep();
    topK = from.topK();
    topP = from.topP();
    minP = from.minP();
    typicalP = from.typicalP();
    topNSigma = from.topNSigma();
    xtcProbability = from.xtcProbability();
    xtcThreshold = from.xtcThreshold();
    temperature = from.temperature();
    dynatempRange = from.dynatempRange();
    dynatempExponent = from.dynatempExponent();
    penaltyLastN = from.penaltyLastN();
    repeatPenalty = from.repeatPenalty();
    frequencyPenalty = from.frequencyPenalty();
    presencePenalty = from.presencePenalty();
    dryMultiplier = from.dryMultiplier();
    dryBase = from.dryBase();
    dryAllowedLength = from.dryAllowedLength();
    dryPenaltyLastN = from.dryPenaltyLastN();
    drySequenceBreakers = from.drySequenceBreakers();
    mirostat = from.mirostat();
    mirostatTau = from.mirostatTau();
    mirostatEta = from.mirostatEta();
    adaptiveTarget = from.adaptiveTarget();
    adaptiveDecay = from.adaptiveDecay();
    logitBias = from.logitBias();
    samplers = from.samplers();
  }

  public SamplingOptionsBuilder seed(long value) {
    seed = value;
    return this;
  }

  public SamplingOptionsBuilder minKeep(int value) {
    minKeep = value;
    return this;
  }

  public SamplingOptionsBuilder topK(int value) {
    topK = value;
    return this;
  }

  public SamplingOptionsBuilder topP(float value) {
    topP = value;
    return this;
  }

  public SamplingOptionsBuilder minP(float value) {
    minP = value;
    return this;
  }

  public SamplingOptionsBuilder typicalP(float value) {
    typicalP = value;
    return this;
  }

  public SamplingOptionsBuilder topNSigma(float value) {
    topNSigma = value;
    return this;
  }

  public SamplingOptionsBuilder xtcProbability(float value) {
    xtcProbability = value;
    return this;
  }

  public SamplingOptionsBuilder xtcThreshold(float value) {
    xtcThreshold = value;
    return this;
  }

  public SamplingOptionsBuilder temperature(float value) {
    temperature = value;
    return this;
  }

  public SamplingOptionsBuilder dynatempRange(float value) {
    dynatempRange = value;
    return this;
  }

  public SamplingOptionsBuilder dynatempExponent(float value) {
    dynatempExponent = value;
    return this;
  }

  public SamplingOptionsBuilder penaltyLastN(int value) {
    penaltyLastN = value;
    return this;
  }

  public SamplingOptionsBuilder repeatPenalty(float value) {
    repeatPenalty = value;
    return this;
  }

  public SamplingOptionsBuilder frequencyPenalty(float value) {
    frequencyPenalty = value;
    return this;
  }

  public SamplingOptionsBuilder presencePenalty(float value) {
    presencePenalty = value;
    return this;
  }

  public SamplingOptionsBuilder dryMultiplier(float value) {
    dryMultiplier = value;
    return this;
  }

  public SamplingOptionsBuilder dryBase(float value) {
    dryBase = value;
    return this;
  }

  public SamplingOptionsBuilder dryAllowedLength(int value) {
    dryAllowedLength = value;
    return this;
  }

  public SamplingOptionsBuilder dryPenaltyLastN(int value) {
    dryPenaltyLastN = value;
    return this;
  }

  public SamplingOptionsBuilder drySequenceBreakers(List<String> value) {
    drySequenceBreakers = value;
    return this;
  }

  public SamplingOptionsBuilder mirostat(int value) {
    mirostat = value;
    return this;
  }

  public SamplingOptionsBuilder mirostatTau(float value) {
    mirostatTau = value;
    return this;
  }

  public SamplingOptionsBuilder mirostatEta(float value) {
    mirostatEta = value;
    return this;
  }

  public SamplingOptionsBuilder adaptiveTarget(float value) {
    adaptiveTarget = value;
    return this;
  }

  public SamplingOptionsBuilder adaptiveDecay(float value) {
    adaptiveDecay = value;
    return this;
  }

  public SamplingOptionsBuilder logitBias(Map<Integer, Float> value) {
    logitBias = value;
    return this;
  }

  public SamplingOptionsBuilder samplers(List<SamplerKind> value) {
    samplers = value;
    return this;
  }

  /**
   * The options.
   *
   * @throws IllegalArgumentException if a value is NaN or out of its range
   */
  public SamplingOptions build() {
    return new SamplingOptions(
        seed,
        minKeep,
        topK,
        topP,
        minP,
        typicalP,
        topNSigma,
        xtcProbability,
        xtcThreshold,
        temperature,
        dynatempRange,
        dynatempExponent,
        penaltyLastN,
        repeatPenalty,
        frequencyPenalty,
        presencePenalty,
        dryMultiplier,
        dryBase,
        dryAllowedLength,
        dryPenaltyLastN,
        drySequenceBreakers,
        mirostat,
        mirostatTau,
        mirostatEta,
        adaptiveTarget,
        adaptiveDecay,
        logitBias,
        samplers);
  }
}
