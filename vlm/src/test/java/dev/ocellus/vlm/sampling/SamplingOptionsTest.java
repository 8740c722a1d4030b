package dev.ocellus.vlm.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class SamplingOptionsTest {
  @Test
  void greedyTakesTheLikeliest() {
    assertThat(SamplingOptions.greedy().toChain().sample(new float[] {1, 5, 4.99f})).isEqualTo(1);
  }

  @Test
  void theOrderOfTheSamplersCounts() {
    // Four tokens with probabilities 0.4, 0.3, 0.2 and 0.1: after top-k 2 the first has 0.57.
    float[] logits = {
      (float) Math.log(0.4), (float) Math.log(0.3), (float) Math.log(0.2), (float) Math.log(0.1)
    };
    SamplingOptionsBuilder base = SamplingOptions.builder().topK(2).topP(0.5f).seed(1);
    SamplerChain topKFirst =
        base.samplers(List.of(SamplerKind.TOP_K, SamplerKind.TOP_P)).build().toChain();
    SamplerChain topPFirst =
        base.samplers(List.of(SamplerKind.TOP_P, SamplerKind.TOP_K)).build().toChain();
    assertThat(topKFirst.choose(logits.clone()).size()).isEqualTo(1);
    assertThat(topPFirst.choose(logits.clone()).size()).isEqualTo(2);
  }

  @Test
  void mirostatReplacesTheOtherSamplers() {
    for (int version : new int[] {1, 2}) {
      SamplerChain chain =
          SamplingOptions.builder().mirostat(version).topK(1).seed(4).build().toChain();
      assertThat(chain.choose(new float[] {1, 1, 1, 1, 1.5f}).size()).isGreaterThan(1);
      assertThat(chain.seed()).hasValue(4);
    }
  }

  @Test
  void biasesApplyInFrontOfAll() {
    SamplerChain chain =
        SamplingOptions.builder().temperature(0).logitBias(Map.of(0, 10f)).build().toChain();
    assertThat(chain.sample(new float[] {0, 5, 1})).isZero();
  }

  @Test
  void adaptivePSelectsInPlaceOfTheDistribution() {
    SamplerChain chain =
        SamplingOptions.builder()
            .samplers(List.of(SamplerKind.ADAPTIVE_P, SamplerKind.TOP_K))
            .adaptiveTarget(0.2f)
            .build()
            .toChain();
    assertThat(chain.samplers().getLast()).isInstanceOf(AdaptiveP.class);
  }

  @Test
  void refusesBadValuesWhenBuilt() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> SamplingOptions.builder().temperature(Float.NaN).build())
        .withMessage("temperature: expected a finite number, found NaN");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> SamplingOptions.builder().mirostat(3).build())
        .withMessageContaining("mirostat");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> SamplingOptions.builder().drySequenceBreakers(List.of("a", "")).build())
        .withMessageContaining("empty");
  }

  @Test
  void dryNeedsTheVocabularyForItsBreakers() {
    SamplingOptionsBuilder dry = SamplingOptions.builder().dryMultiplier(0.8f);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> dry.build().toChain())
        .withMessageContaining("toChain(vocabulary)");
    assertThat(dry.drySequenceBreakers(List.of()).build().toChain().samplers()).isNotEmpty();
  }

  @Test
  void aBuilderFromOptionsChangesNothingElse() {
    SamplingOptions options =
        SamplingOptions.builder().topK(7).logitBias(Map.of(3, 1f)).dryBase(2).seed(12).build();
    assertThat(options.toBuilder().build()).isEqualTo(options);
  }

  @Test
  void readsSamplerListsAsLlamaCppWritesThem() {
    assertThat(SamplerKind.parseList("penalties;dry; top_k ;typ_p;top-p;min_p;xtc;temp;"))
        .containsExactly(
            SamplerKind.PENALTIES,
            SamplerKind.DRY,
            SamplerKind.TOP_K,
            SamplerKind.TYPICAL_P,
            SamplerKind.TOP_P,
            SamplerKind.MIN_P,
            SamplerKind.XTC,
            SamplerKind.TEMPERATURE);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> SamplerKind.parseList("top_k;beam"))
        .withMessageContaining("beam")
        .withMessageContaining("adaptive_p");
  }
}
