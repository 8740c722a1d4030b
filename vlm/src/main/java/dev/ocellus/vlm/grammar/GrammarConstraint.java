package dev.ocellus.vlm.grammar;

import dev.ocellus.vlm.sampling.Candidates;
import dev.ocellus.vlm.sampling.LazyConstraint;
import java.util.ArrayDeque;
import java.util.BitSet;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * Constrains the tokens of one answer to a grammar. A token of text may follow when its bytes may;
 * a control token only where the grammar names it; a token that ends the answer only where the text
 * matches as a whole.
 *
 * <p>Near the token limit only tokens are allowed after which the text can still be ended in time,
 * down to the one that ends it soonest. A limit that is too low from the start is not kept, and the
 * text then ends as early as can be.
 */
public final class GrammarConstraint implements LazyConstraint.TextConstraint {
  private static final int MAX_MASKS = 256;

  private final Program program;
  private final GrammarVocabulary vocabulary;
  private final ShortestCompletions completions;
  private final Deque<Automaton.State> masked = new ArrayDeque<>();
  private Automaton automaton;
  private Automaton.State state;

  /** Tokens that end the text from here, where such a list was begun; else null. */
  private int @Nullable [] ending;

  private int endingFrom;
  private int tokensLeft = UNLIMITED;

  /**
   * Allows the texts of a grammar.
   *
   * @param vocabulary of the model whose tokens are chosen
   */
  public GrammarConstraint(Grammar grammar, GrammarVocabulary vocabulary) {
    this.program = grammar.program();
    this.vocabulary = vocabulary;
    this.completions = new ShortestCompletions(vocabulary);
    this.automaton = new Automaton(program);
    this.state = automaton.start();
  }

  @Override
  public void setTokensLeft(int tokens) {
    tokensLeft = tokens;
  }

  @Override
  public boolean isComplete() {
    return state.isComplete();
  }

  @Override
  public boolean mustEnd() {
    return state.mustEnd();
  }

  @Override
  public boolean allows(int token) {
    if (vocabulary.ends(token)) {
      return state.isComplete();
    }
    Automaton.State after = after(token);
    if (after == null) {
      return false;
    }
    int forced = forced();
    return forced >= 0 ? token == forced : fits(after);
  }

  @Override
  public void mask(Candidates candidates) {
    keep(allowed(), candidates);
  }

  @Override
  public void maskLoosely(Candidates candidates) {
    keep(forced() >= 0 ? allowed() : mask(), candidates);
  }

  private static void keep(BitSet allowed, Candidates candidates) {
    for (int i = 0; i < candidates.size(); i++) {
      if (!allowed.get(candidates.token(i))) {
        candidates.setLogit(i, Float.NEGATIVE_INFINITY);
      }
    }
  }

  /** The tokens that may follow. */
  public BitSet allowed() {
    BitSet all = mask();
    if (tokensLeft == UNLIMITED) {
      return all;
    }
    int forced = forced();
    if (forced < 0 && completions.fitsBytes(state.maxBytesToEnd, tokensLeft - 1)) {
      return all; // whichever comes, there is room to end
    }
    BitSet some = new BitSet(vocabulary.size());
    if (forced >= 0) { // then the text cannot end here
      some.set(forced, all.get(forced));
    } else {
      for (int t = all.nextSetBit(0); t >= 0; t = all.nextSetBit(t + 1)) {
        if (vocabulary.ends(t) || fits(after(t))) {
          some.set(t);
        }
      }
    }
    return some.isEmpty() ? all : some;
  }

  private BitSet mask() {
    BitSet known = state.mask;
    if (known != null) {
      return known;
    }
    BitSet mask = new BitSet(vocabulary.size());
    long max = vocabulary.addMatching(state, mask);
    BitSet own = state.ownTokens(vocabulary.size());
    for (int token = own.nextSetBit(0); token >= 0; token = own.nextSetBit(token + 1)) {
      Automaton.State after = vocabulary.ends(token) ? null : afterToken(token);
      if (after != null) {
        mask.set(token);
        max = Math.max(max, after.bytesToEnd());
      }
    }
    if (state.isComplete()) {
      vocabulary.addEnds(mask);
    }
    if (masked.size() == MAX_MASKS) {
      masked.remove().mask = null;
    }
    masked.add(state);
    state.mask = mask;
    state.maxBytesToEnd = max;
    return mask;
  }

  private Automaton.@Nullable State after(int token) {
    Automaton.State after = vocabulary.isText(token) ? afterText(vocabulary.text(token)) : null;
    return automaton.either(afterToken(token), after);
  }

  private Automaton.@Nullable State afterToken(int token) {
    return state.takesTokens() && vocabulary.isWhole(token) ? state.afterToken(token) : null;
  }

  /** Whether the text can be ended with the tokens that are left behind one more. */
  private boolean fits(Automaton.@Nullable State after) {
    return after != null && (tokensLeft == UNLIMITED || completions.fits(after, tokensLeft - 1));
  }

  /** The token that must come because the limit leaves room for nothing else, or −1. */
  private int forced() {
    if (tokensLeft == UNLIMITED || state.isComplete() || completions.fits(state, tokensLeft - 1)) {
      return -1;
    }
    int[] tokens = ending;
    if (tokens == null || endingFrom == tokens.length) {
      tokens = completions.of(state);
      ending = tokens;
      endingFrom = 0;
    }
    return tokens == null || tokens.length - endingFrom < tokensLeft ? -1 : tokens[endingFrom];
  }

  /**
   * @throws IllegalArgumentException if the token may not follow
   */
  @Override
  public void accept(int token) {
    int forced = forced();
    Automaton.State after = vocabulary.ends(token) ? null : after(token);
    if (vocabulary.ends(token) && state.isComplete()) {
      return;
    }
    if (after == null) {
      throw new IllegalArgumentException(
          "token: expected one that the grammar allows, found " + token);
    }
    if (token == forced) {
      endingFrom++;
    } else {
      ending = null;
    }
    state = after;
    if (automaton.isFull()) {
      automaton = new Automaton(program);
      state = automaton.adopt(state);
      masked.clear();
    }
  }

  @Override
  public boolean allowsText(byte[] utf8) {
    return afterText(utf8) != null;
  }

  /**
   * @throws IllegalArgumentException if the text may not follow
   */
  @Override
  public void acceptText(byte[] utf8) {
    Automaton.State after = afterText(utf8);
    if (after == null) {
      throw new IllegalArgumentException(
          "text: expected what the grammar allows, found other text");
    }
    ending = null;
    state = after;
  }

  private Automaton.@Nullable State afterText(byte[] utf8) {
    Automaton.State after = state;
    for (int i = 0; i < utf8.length && after != null; i++) {
      after = after.after(utf8[i] & 0xFF);
    }
    return after;
  }

  @Override
  public void reset() {
    state = automaton.start();
    ending = null;
    tokensLeft = UNLIMITED;
  }
}
