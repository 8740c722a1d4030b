package dev.ocellus.vlm.sampling;

import java.nio.FloatBuffer;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.Consumer;

/**
 * Samplers applied one after another, the last of which selects a token.
 *
 * <p>The same samplers, seed, logits and history give the same tokens. A chain keeps its working
 * memory, so that sampling allocates nothing to speak of. It is confined to one thread at a time.
 */
public final class SamplerChain {
  private final List<Sampler> samplers;
  private final Candidates candidates = new Candidates();

  /**
   * @param samplers in the order of application; the last selects, as {@link Samplers#greedy} and
   *     {@link Samplers#distribution} do
   */
  public SamplerChain(List<? extends Sampler> samplers) {
    if (samplers.isEmpty()) {
      throw new IllegalArgumentException(
          "samplers: expected at least one that selects a token, found none");
    }
    this.samplers = List.copyOf(samplers);
  }

  /** A chain of the given samplers in the order of application. */
  public static SamplerChain of(Sampler... samplers) {
    return new SamplerChain(List.of(samplers));
  }

  /** The samplers in the order of application. */
  public List<Sampler> samplers() {
    return samplers;
  }

  /**
   * Chooses the next token and accepts it.
   *
   * @param logits one for each token of the vocabulary; changed in place
   * @throws SamplingException if logits are NaN or +∞, or all are −∞
   */
  public int sample(float[] logits) {
    return accepted(choose(logits));
  }

  /**
   * Chooses the next token and accepts it.
   *
   * @param logits one for each token of the vocabulary, between position and limit; copied once and
   *     left as they are
   * @throws SamplingException if logits are NaN or +∞, or all are −∞
   */
  public int sample(FloatBuffer logits) {
    return accepted(choose(logits));
  }

  /** Like {@link #sample(float[])}, but without accepting the token. */
  public Candidates choose(float[] logits) {
    candidates.start(logits);
    return choose();
  }

  /** Like {@link #sample(FloatBuffer)}, but without accepting the token. */
  public Candidates choose(FloatBuffer logits) {
    candidates.start(logits);
    return choose();
  }

  /** Like {@link #choose(FloatBuffer)}, among the tokens that a mask leaves. */
  Candidates choose(FloatBuffer logits, Consumer<Candidates> mask) {
    candidates.start(logits);
    mask.accept(candidates);
    if (candidates.maxLogit() == Float.NEGATIVE_INFINITY) {
      throw SamplingException.nothingAllowed();
    }
    return choose();
  }

  /** Tells every sampler of a token that became part of the text, be it sampled or prompt. */
  public void accept(int token) {
    SamplingChecks.token(token);
    for (Sampler sampler : samplers) {
      sampler.accept(token);
    }
  }

  /** Forgets the history, and starts all random numbers anew with the same seeds. */
  public void reset() {
    samplers.forEach(Sampler::reset);
  }

  /** The seed of the last sampler that has one: given again, it reproduces the tokens. */
  public OptionalLong seed() {
    return samplers.reversed().stream()
        .map(Sampler::seed)
        .filter(OptionalLong::isPresent)
        .findFirst()
        .orElse(OptionalLong.empty());
  }

  private Candidates choose() {
    for (Sampler sampler : samplers) {
      sampler.apply(candidates);
    }
    int selected = candidates.selected();
    if (selected < 0 || selected >= candidates.size()) {
      throw new IllegalStateException(
          "the chain ended without selecting a token: its last sampler must be one that selects, such as Samplers.greedy() or Samplers.distribution(seed)");
    }
    return candidates;
  }

  private int accepted(Candidates chosen) {
    int token = chosen.token(chosen.selected());
    accept(token);
    return token;
  }
}
