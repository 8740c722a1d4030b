package dev.ocellus.vlm.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class SamplerChainTest {
  private static float[] logits(long seed, int n) {
    SplittableRandom random = new SplittableRandom(seed);
    float[] logits = new float[n];
    for (int i = 0; i < n; i++) {
      logits[i] = (float) random.nextDouble(-4, 4);
    }
    return logits;
  }

  private static List<Integer> tokens(SamplerChain chain, int count) {
    List<Integer> tokens = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      tokens.add(chain.sample(logits(i, 500)));
    }
    return tokens;
  }

  @Test
  void theSameSeedGivesTheSameTokensAndResetStartsAnew() {
    SamplingOptions options =
        SamplingOptions.builder()
            .seed(99)
            .repeatPenalty(1.3f)
            .xtcProbability(0.5f)
            .xtcThreshold(0.01f)
            .build();
    SamplerChain chain = options.toChain();
    List<Integer> first = tokens(chain, 50);
    chain.reset();
    assertThat(tokens(chain, 50)).isEqualTo(first);
    assertThat(tokens(options.toChain(), 50)).isEqualTo(first);
    assertThat(tokens(options.toBuilder().seed(100).build().toChain(), 50)).isNotEqualTo(first);
  }

  @Test
  void aRandomSeedIsToldAndReproduces() {
    SamplingOptions options =
        SamplingOptions.builder().xtcProbability(0.5f).xtcThreshold(0.01f).build();
    SamplerChain chain = options.toChain();
    long seed = chain.seed().orElseThrow();
    assertThat(tokens(options.toBuilder().seed(seed).build().toChain(), 50))
        .isEqualTo(tokens(chain, 50));
  }

  @Test
  void aBufferIsReadBetweenPositionAndLimitAndLeftAsItIs() {
    float[] logits = logits(1, 300);
    FloatBuffer direct =
        ByteBuffer.allocateDirect(4 * 310).order(ByteOrder.nativeOrder()).asFloatBuffer();
    direct.put(5, logits).position(5).limit(305);
    SamplingOptions options = SamplingOptions.builder().seed(3).build();
    int token = options.toChain().sample(direct);
    assertThat(direct.position()).isEqualTo(5);
    assertThat(direct.get(5 + 17)).isEqualTo(logits[17]);
    assertThat(options.toChain().sample(logits.clone())).isEqualTo(token);
    assertThat(options.toChain().sample(direct.asReadOnlyBuffer())).isEqualTo(token);
  }

  @Test
  void vocabulariesOfDifferentSizesMayFollowEachOther() {
    SamplerChain chain = SamplerChain.of(Samplers.topK(5), Samplers.greedy());
    for (int n : new int[] {3, 5000, 1, 200, 20_000, 64}) {
      float[] logits = logits(n, n);
      int expected = 0;
      for (int i = 1; i < n; i++) {
        expected = logits[i] > logits[expected] ? i : expected;
      }
      assertThat(chain.sample(logits)).isEqualTo(expected);
    }
  }

  @Test
  void unusableLogitsAreCounted() {
    SamplerChain chain = SamplerChain.of(Samplers.greedy());
    float[] broken = new float[100];
    broken[3] = Float.NaN;
    broken[40] = Float.NaN;
    broken[50] = Float.POSITIVE_INFINITY;
    broken[60] = Float.NEGATIVE_INFINITY;
    assertThatThrownBy(() -> chain.sample(broken))
        .isInstanceOfSatisfying(
            SamplingException.class,
            e -> {
              assertThat(e.nanCount()).isEqualTo(2);
              assertThat(e.positiveInfinityCount()).isEqualTo(1);
              assertThat(e.negativeInfinityCount()).isEqualTo(1);
            })
        .hasMessageContaining("2 NaN, 1 +infinity and 1 -infinity among 100");
    float[] masked = new float[100];
    Arrays.fill(masked, Float.NEGATIVE_INFINITY);
    assertThatThrownBy(() -> chain.sample(masked)).isInstanceOf(SamplingException.class);
    masked[70] = -5;
    assertThat(chain.sample(masked)).isEqualTo(70);
  }

  @Test
  void nanFromACustomSamplerIsATypedErrorAndNoHang() {
    Sampler broken = candidates -> candidates.setLogit(2, Float.NaN);
    for (Sampler next :
        List.of(
            Samplers.topP(0.5f, 0),
            Samplers.typical(0.5f, 0),
            Samplers.distribution(1),
            Samplers.mirostatV2(1, 5, 0.1f),
            Samplers.mirostat(1, 5, 0.1f, 100),
            Samplers.adaptiveP(0.5f, 0.5f, 1))) {
      SamplerChain chain = SamplerChain.of(broken, next, Samplers.distribution(1));
      assertThatThrownBy(() -> chain.sample(logits(1, 3000))).isInstanceOf(SamplingException.class);
    }
  }

  @Test
  void aUsersOwnSamplerIsOneMethod() {
    Sampler onlyEven =
        candidates -> {
          for (int i = 0; i < candidates.size(); i++) {
            if (candidates.token(i) % 2 == 1) {
              candidates.setLogit(i, Float.NEGATIVE_INFINITY);
            }
          }
        };
    SamplerChain chain =
        SamplerChain.of(Samplers.topK(400), onlyEven, Samplers.topK(40), Samplers.distribution(1));
    assertThat(tokens(chain, 40)).allMatch(token -> token % 2 == 0);
  }

  @Test
  void aChainThatSelectsNothingSaysSo() {
    SamplerChain chain = SamplerChain.of(Samplers.topK(4));
    assertThatIllegalStateException()
        .isThrownBy(() -> chain.sample(logits(1, 10)))
        .withMessageContaining("greedy");
    assertThatIllegalArgumentException().isThrownBy(SamplerChain::of);
    assertThatIllegalArgumentException().isThrownBy(() -> chain.sample(new float[0]));
    assertThatIllegalArgumentException().isThrownBy(() -> chain.accept(-1));
  }

  @Test
  void placeOfFindsTokensAfterMoves() {
    Candidates left = SamplerChain.of(Samplers.topK(40), Samplers.greedy()).choose(logits(4, 3000));
    for (int i = 0; i < left.size(); i++) {
      assertThat(left.placeOf(left.token(i))).isEqualTo(i);
    }
    int found = 0;
    for (int token = -2; token < 3005; token++) {
      found += left.placeOf(token) >= 0 ? 1 : 0;
    }
    assertThat(found).isEqualTo(40);
  }
}
