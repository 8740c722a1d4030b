package dev.ocellus.vlm.sampling;

import java.nio.FloatBuffer;

/**
 * A chain constrained to a constraint. It chooses freely first and asks the constraint about that
 * one token; only if it is refused are the others ruled out and is there a second choice. So most
 * tokens cost no look at the vocabulary, as in llama.cpp.
 *
 * <p>What only the limit on tokens forbids takes longest to find, and is seldom chosen. It is ruled
 * out for a third choice, if the second was such a token.
 */
public final class ConstrainedSampler {
  private final SamplerChain chain;
  private final TokenConstraint constraint;
  private long refused;
  private long tooLong;

  /**
   * Chooses with a chain among what a constraint allows. Both are told of every token, and are used
   * by nobody else.
   */
  public ConstrainedSampler(SamplerChain chain, TokenConstraint constraint) {
    this.chain = chain;
    this.constraint = constraint;
  }

  /**
   * Chooses the next token and accepts it.
   *
   * @param logits one for each token of the vocabulary, between position and limit; left as they
   *     are
   * @throws SamplingException if logits are NaN or +∞, or the constraint allows none of the tokens
   *     that have a logit
   */
  public int sample(FloatBuffer logits) {
    Candidates candidates = chain.choose(logits);
    int token = candidates.token(candidates.selected());
    if (!constraint.allows(token)) {
      refused++;
      candidates = chain.choose(logits, constraint::maskLoosely);
      token = candidates.token(candidates.selected());
      if (!constraint.allows(token)) {
        tooLong++;
        candidates = chain.choose(logits, constraint::mask);
        token = candidates.token(candidates.selected());
      }
      if (!constraint.allows(token)) {
        // nothing that is allowed had a logit: what the chain took is masked itself
        throw SamplingException.nothingAllowed();
      }
    }
    accept(token);
    return token;
  }

  /** Tells the chain and the constraint of a token that became part of the answer. */
  public void accept(int token) {
    chain.accept(token);
    constraint.accept(token);
  }

  /** How many first choices were refused. */
  public long refused() {
    return refused;
  }

  /** How many second choices were refused, after which the limit on tokens was looked at. */
  public long tooLong() {
    return tooLong;
  }
}
