package dev.ocellus.vlm.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What {@link LlamaDifferentialTest} cannot show: limits, ties, masks and refused parameters. */
class SamplersTest {
  private static final float MASKED = Float.NEGATIVE_INFINITY;
  private static final float NAN = Float.NaN;

  private static Candidates apply(Sampler sampler, float... logits) {
    Candidates candidates = new Candidates();
    candidates.start(logits);
    sampler.apply(candidates);
    return candidates;
  }

  private static int[] tokens(Candidates candidates) {
    int[] tokens = new int[candidates.size()];
    for (int i = 0; i < tokens.length; i++) {
      tokens[i] = candidates.token(i);
    }
    return tokens;
  }

  @Test
  void equalLogitsComeInTheOrderOfTheirTokens() {
    assertThat(tokens(apply(Samplers.topK(3), 1, 2, 2, 0, 2, 2))).containsExactly(1, 2, 4);
    assertThat(apply(Samplers.greedy(), 0, 2, 1, 2).selected()).isEqualTo(1);
  }

  @Test
  void switchedOffSamplersLeaveTheCandidatesAlone() {
    for (Sampler off :
        new Sampler[] {
          Samplers.topK(0),
          Samplers.topK(-5),
          Samplers.topP(1, 1),
          Samplers.topP(2, 1),
          Samplers.minP(0, 1),
          Samplers.typical(1, 1),
          Samplers.topNSigma(-1),
          Samplers.xtc(0, 0.1f, 1, 1),
          Samplers.xtc(1, 0.6f, 1, 1),
          Samplers.temperature(1),
          Samplers.dynamicTemperature(1, 0, 1),
          Samplers.penalties(0, 2, 2, 2),
          Samplers.penalties(64, 1, 0, 0),
          Samplers.dry(0, 1.75f, 2, 64, DryBreakers.none()),
          Samplers.logitBias(Map.of())
        }) {
      off.accept(1);
      Candidates candidates = apply(off, 3, 1, 2);
      assertThat(tokens(candidates)).containsExactly(0, 1, 2);
      assertThat(candidates.logit(1)).isEqualTo(1);
      assertThat(candidates.isSorted()).isFalse();
    }
  }

  @Test
  void typicalRegardsMaskedTokensAsImpossible() {
    Candidates left = apply(Samplers.typical(0.5f, 0), MASKED, 1, MASKED, 1, 1, 1);
    assertThat(tokens(left)).containsExactly(1, 3, 4);
  }

  @Test
  void aTemperatureOfZeroLeavesOnlyTheLikeliest() {
    Candidates left = apply(Samplers.temperature(0), 1, 3, 3);
    assertThat(left.logit(0)).isEqualTo(MASKED);
    assertThat(left.logit(1)).isEqualTo(3);
    assertThat(left.logit(2)).isEqualTo(MASKED);
  }

  @Test
  void anExtremelyLowTemperatureIsCertainInsteadOfOverflowing() {
    SamplerChain chain =
        SamplerChain.of(Samplers.temperature(Float.MIN_VALUE), Samplers.distribution(1));
    assertThat(chain.sample(new float[] {1, 80, 2})).isEqualTo(1);
  }

  @Test
  void minKeepGivesAtLeastAsManyAsThereAre() {
    assertThat(apply(Samplers.minP(1, 2), 5, 1, 3).size()).isEqualTo(2);
    assertThat(apply(Samplers.minP(1, 9), 5, 1, 3).size()).isEqualTo(3);
    assertThat(apply(Samplers.topP(0, 9), 5, 1, 3).size()).isEqualTo(3);
    assertThat(apply(Samplers.typical(0, 2), 5, 1, 3).size()).isEqualTo(2);
  }

  @Test
  void penaltiesReachCandidatesThatWereMoved() {
    Sampler penalties = Samplers.penalties(4, 2, 0, 1);
    for (int token : new int[] {3, 0, 0, 2, 1, 1}) {
      penalties.accept(token); // the last four are 0, 2, 1, 1
    }
    Candidates candidates = new Candidates();
    candidates.start(new float[] {4, -3, 8, 6, 5});
    candidates.keepTop(4);
    penalties.apply(candidates);
    assertThat(tokens(candidates)).containsExactly(2, 3, 4, 0);
    assertThat(candidates.logit(0)).isEqualTo(3);
    assertThat(candidates.logit(1)).isEqualTo(6);
    assertThat(candidates.logit(3)).isEqualTo(1);
    assertThat(candidates.isSorted()).isFalse();
    penalties.reset();
    Candidates again = apply(penalties, 4, -3, 8, 6, 5);
    assertThat(again.logit(1)).isEqualTo(-3);
  }

  @Test
  void logitBiasForbidsATokenAndIgnoresUnknownOnes() {
    Candidates left = apply(Samplers.logitBias(Map.of(1, MASKED, 99, 5f)), 1, 9, 2);
    assertThat(left.logit(1)).isEqualTo(MASKED);
    assertThat(left.placeOfMax()).isEqualTo(2);
  }

  @Test
  void aBiasThatForbidsAllIsATypedError() {
    SamplerChain chain =
        SamplerChain.of(Samplers.logitBias(Map.of(0, MASKED, 1, MASKED)), Samplers.distribution(1));
    assertThatThrownBy(() -> chain.sample(new float[] {1, 2}))
        .isInstanceOfSatisfying(
            SamplingException.class, e -> assertThat(e.negativeInfinityCount()).isEqualTo(2));
  }

  @Test
  void adaptivePConvergesToItsTarget() {
    Sampler sampler = Samplers.adaptiveP(0.3f, 0.9f, 5);
    SamplerChain chain = SamplerChain.of(sampler);
    float[] probabilities = {0.5f, 0.25f, 0.15f, 0.06f, 0.04f};
    double sum = 0;
    int steps = 2000;
    for (int i = 0; i < steps; i++) {
      float[] logits = new float[probabilities.length];
      for (int t = 0; t < logits.length; t++) {
        logits[t] = (float) Math.log(probabilities[t]);
      }
      sum += probabilities[chain.sample(logits)];
    }
    assertThat(sum / steps).isBetween(0.25, 0.35);
  }

  static Stream<Arguments> refused() {
    return Stream.of(
        refused("temperature", () -> Samplers.temperature(NAN)),
        refused("temperature", () -> Samplers.temperature(Float.POSITIVE_INFINITY)),
        refused("dynatempRange", () -> Samplers.dynamicTemperature(1, -1, 1)),
        refused("dynatempExponent", () -> Samplers.dynamicTemperature(1, 1, NAN)),
        refused("topP", () -> Samplers.topP(-0.1f, 0)),
        refused("topP", () -> Samplers.topP(NAN, 0)),
        refused("minKeep", () -> Samplers.topP(0.5f, -1)),
        refused("minP", () -> Samplers.minP(1.1f, 0)),
        refused("minP", () -> Samplers.minP(NAN, 0)),
        refused("typicalP", () -> Samplers.typical(NAN, 0)),
        refused("topNSigma", () -> Samplers.topNSigma(NAN)),
        refused("xtcProbability", () -> Samplers.xtc(2, 0.1f, 0, 1)),
        refused("xtcThreshold", () -> Samplers.xtc(0.5f, NAN, 0, 1)),
        refused("seed", () -> Samplers.xtc(0, 0.1f, 0, -7)),
        refused("seed", () -> Samplers.distribution(-2)),
        refused("penaltyLastN", () -> Samplers.penalties(-1, 1, 0, 0)),
        refused("repeatPenalty", () -> Samplers.penalties(64, 0, 0, 0)),
        refused("repeatPenalty", () -> Samplers.penalties(64, NAN, 0, 0)),
        refused("frequencyPenalty", () -> Samplers.penalties(64, 1, NAN, 0)),
        refused("presencePenalty", () -> Samplers.penalties(64, 1, 0, Float.NEGATIVE_INFINITY)),
        refused("dryMultiplier", () -> Samplers.dry(NAN, 1, 1, 1, DryBreakers.none())),
        refused("dryBase", () -> Samplers.dry(1, NAN, 1, 1, DryBreakers.none())),
        refused("dryAllowedLength", () -> Samplers.dry(1, 1, -1, 1, DryBreakers.none())),
        refused("dryPenaltyLastN", () -> Samplers.dry(1, 1, 1, -1, DryBreakers.none())),
        refused("logitBias of token 3", () -> Samplers.logitBias(Map.of(3, NAN))),
        refused("token", () -> Samplers.logitBias(Map.of(-3, 1f))),
        refused("mirostatTau", () -> Samplers.mirostatV2(1, NAN, 1)),
        refused("mirostatEta", () -> Samplers.mirostat(1, 5, -1, 100)),
        refused("m:", () -> Samplers.mirostat(1, 5, 1, 1)),
        refused("adaptiveTarget", () -> Samplers.adaptiveP(1.5f, 0.9f, 1)),
        refused("adaptiveTarget", () -> Samplers.adaptiveP(NAN, 0.9f, 1)),
        refused("adaptiveDecay", () -> Samplers.adaptiveP(0.5f, 1, 1)));
  }

  private static Arguments refused(String name, Supplier<Sampler> maker) {
    return Arguments.of(name, maker);
  }

  @ParameterizedTest
  @MethodSource("refused")
  void refusesParametersOutOfRange(String name, Supplier<Sampler> maker) {
    assertThatThrownBy(maker::get)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith(name)
        .hasMessageContaining("expected")
        .hasMessageContaining("found");
  }
}
