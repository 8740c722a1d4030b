package dev.ocellus.vlm.sampling;

/**
 * DRY, "don't repeat yourself" (github.com/oobabooga/text-generation-webui/pull/5677): penalizes
 * the tokens that would prolong a repetition, exponentially in its length.
 */
final class Dry implements Sampler {
  /** The logarithm of the largest float: the penalty's power must not overflow. */
  private static final float MAX_LOG = 88.72284f;

  private final float multiplier;
  private final float base;
  private final int allowedLength;
  private final int maxExponent;
  private final DryBreakers breakers;
  private final TokenHistory history;
  private final TokenMap longestRepeat = new TokenMap();

  Dry(float multiplier, float base, int allowedLength, int lastN, DryBreakers breakers) {
    this.multiplier = multiplier;
    this.base = base;
    this.allowedLength = allowedLength;
    this.breakers = breakers;
    history = new TokenHistory(lastN);
    maxExponent = base > 1.000001f ? (int) (MAX_LOG / (float) Math.log(base)) : 0;
  }

  @Override
  public void apply(Candidates candidates) {
    if (history.size() <= allowedLength) {
      return;
    }
    int[] tokens = history.latestFirst();
    int limit = breakers.sinceLatest(tokens);
    if (limit < allowedLength) {
      return;
    }
    // A match of the latest tokens `age` tokens ago was followed by the token at `age` − 1.
    int[] matches = prefixMatches(tokens);
    longestRepeat.clear();
    for (int age = 1; age < tokens.length; age++) {
      int length = Math.min(matches[age], limit);
      int next = tokens[age - 1];
      // Lengths are kept one larger, since 0 means that there is none.
      if (length >= allowedLength && length >= longestRepeat.get(next)) {
        longestRepeat.put(next, length + 1);
      }
    }
    if (candidates.size() == candidates.vocabularySize()) {
      longestRepeat.forEach(
          (token, length) -> penalize(candidates, candidates.placeOf(token), length - 1));
      return;
    }
    for (int place = 0; place < candidates.size(); place++) {
      penalize(candidates, place, longestRepeat.get(candidates.token(place)) - 1);
    }
  }

  private void penalize(Candidates candidates, int place, int length) {
    if (place < 0 || length < 0 || breakers.isBreaker(candidates.token(place))) {
      return;
    }
    int exponent = length - allowedLength;
    if (maxExponent > 0) {
      exponent = Math.min(exponent, maxExponent);
    }
    float penalty = (float) (multiplier * Math.pow(base, exponent));
    candidates.setLogit(place, candidates.logit(place) - penalty);
  }

  /**
   * For each position, how many values from there equal those at the beginning: the Z function, in
   * linear time (Gusfield 1997, Algorithms on Strings, Trees and Sequences, section 1.4).
   */
  private static int[] prefixMatches(int[] s) {
    int[] z = new int[s.length];
    int left = 0;
    int right = 0; // s[left, right) equals the beginning, and no match known reaches further
    for (int i = 1; i < s.length; i++) {
      int length = i < right ? Math.min(right - i, z[i - left]) : 0;
      while (i + length < s.length && s[length] == s[i + length]) {
        length++;
      }
      z[i] = length;
      if (i + length > right) {
        left = i;
        right = i + length;
      }
    }
    return z;
  }

  @Override
  public void accept(int token) {
    history.add(token);
  }

  @Override
  public void reset() {
    history.clear();
  }
}
