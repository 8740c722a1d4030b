package dev.ocellus.vlm.grammar;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** How to bring a text to its end in few tokens. */
final class ShortestCompletions {
  /** Longest end that is spelt out, in bytes; longer ones are as good as none. */
  private static final int MAX_BYTES = 100_000;

  private static final int[] NONE = {};

  private final GrammarVocabulary vocabulary;
  private final boolean everyAsciiByte;

  ShortestCompletions(GrammarVocabulary vocabulary) {
    this.vocabulary = vocabulary;
    boolean every = true;
    for (int b = ' '; b < 127; b++) {
      every &= vocabulary.byteToken(b) >= 0;
    }
    this.everyAsciiByte = every;
  }

  /** Whether a text can be ended within some tokens; never true wrongly. */
  boolean fits(Automaton.State state, int tokens) {
    if (fitsBytes(state.bytesToEnd(), tokens)) {
      return true;
    }
    int[] ending = of(state);
    return ending != null && ending.length <= tokens;
  }

  /** Whether an end of so many bytes can be spelt with some tokens, one for each byte. */
  boolean fitsBytes(long bytes, int tokens) {
    return everyAsciiByte && bytes <= tokens;
  }

  /**
   * Tokens of a short end: the shortest in bytes, in few tokens. Null if it is too long, or if the
   * vocabulary cannot spell it.
   */
  int @Nullable [] of(Automaton.State state) {
    int[] known = state.ending;
    if (known == null) {
      known = compute(state);
      state.ending = known == null ? NONE : known;
    }
    return known != null && (known.length > 0 || state.isComplete()) ? known : null;
  }

  private int @Nullable [] compute(Automaton.State from) {
    if (from.bytesToEnd() > MAX_BYTES) {
      return null;
    }
    byte[] bytes = new byte[(int) from.bytesToEnd() + 1];
    int nBytes = 0;
    int[] tokens = new int[bytes.length];
    int nTokens = 0;
    Automaton.State state = from;
    while (!state.isComplete()) {
      int step = state.shortest();
      Automaton.State next;
      if (step >= 0 && step < 256) {
        next = state.after(step);
        bytes[nBytes++] = (byte) step;
      } else {
        int token = step < 0 ? vocabulary.textTokenBut(-1 - step) : step - 256;
        nTokens = spell(bytes, nBytes, tokens, nTokens);
        nBytes = 0;
        if (nTokens < 0 || token < 0) {
          return null;
        }
        tokens[nTokens++] = token;
        next = state.afterToken(token);
      }
      if (next == null) {
        return null;
      }
      state = next;
    }
    nTokens = spell(bytes, nBytes, tokens, nTokens);
    return nTokens < 0 ? null : Arrays.copyOf(tokens, nTokens);
  }

  /** Adds the tokens of bytes, each as long as can be; gives how many there are, −1 if none do. */
  private int spell(byte[] bytes, int nBytes, int[] tokens, int nTokens) {
    int at = 0;
    int n = nTokens;
    while (at < nBytes) {
      int token = vocabulary.longest(bytes, at, nBytes);
      if (token < 0) {
        return -1;
      }
      tokens[n++] = token;
      at += vocabulary.text(token).length;
    }
    return n;
  }
}
