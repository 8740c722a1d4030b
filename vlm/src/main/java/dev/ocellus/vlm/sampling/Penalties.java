package dev.ocellus.vlm.sampling;

/**
 * Makes tokens of the latest text less likely: by a factor (Keskar et al., arXiv:1909.05858;
 * towards −∞ also where the logit is negative), by an amount for each occurrence, and by an amount
 * once.
 */
final class Penalties implements Sampler {
  private final float repeat;
  private final float frequency;
  private final float presence;
  private final TokenHistory history;
  private final TokenMap counts = new TokenMap();

  Penalties(int lastN, float repeat, float frequency, float presence) {
    this.repeat = repeat;
    this.frequency = frequency;
    this.presence = presence;
    history = new TokenHistory(lastN);
  }

  @Override
  public void apply(Candidates candidates) {
    if (candidates.size() == candidates.vocabularySize()) {
      counts.forEach((token, count) -> penalize(candidates, candidates.placeOf(token), count));
      return;
    }
    for (int place = 0; place < candidates.size(); place++) {
      penalize(candidates, place, counts.get(candidates.token(place)));
    }
  }

  private void penalize(Candidates candidates, int place, int count) {
    if (place < 0 || count == 0) {
      return;
    }
    float logit = candidates.logit(place);
    float scaled = logit <= 0 ? logit * repeat : logit / repeat;
    candidates.setLogit(place, scaled - (count * frequency + presence));
  }

  @Override
  public void accept(int token) {
    counts.put(token, counts.get(token) + 1);
    int gone = history.add(token);
    if (gone >= 0) {
      counts.put(gone, counts.get(gone) - 1);
    }
  }

  @Override
  public void reset() {
    history.clear();
    counts.clear();
  }
}
