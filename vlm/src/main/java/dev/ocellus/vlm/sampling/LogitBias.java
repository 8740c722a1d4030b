package dev.ocellus.vlm.sampling;

import java.util.Arrays;
import java.util.Map;

/** Adds fixed amounts to the logits of some tokens; −∞ forbids a token. */
final class LogitBias implements Sampler {
  private final int[] tokens;
  private final float[] biases;

  LogitBias(Map<Integer, Float> bias) {
    tokens = bias.keySet().stream().mapToInt(Integer::intValue).sorted().toArray();
    biases = new float[tokens.length];
    for (int i = 0; i < tokens.length; i++) {
      biases[i] = bias.getOrDefault(tokens[i], 0f);
    }
  }

  @Override
  public void apply(Candidates candidates) {
    if (candidates.size() == candidates.vocabularySize()) {
      for (int i = 0; i < tokens.length; i++) {
        add(candidates, candidates.placeOf(tokens[i]), i);
      }
      return;
    }
    for (int place = 0; place < candidates.size(); place++) {
      add(candidates, place, Arrays.binarySearch(tokens, candidates.token(place)));
    }
  }

  private void add(Candidates candidates, int place, int i) {
    if (place >= 0 && i >= 0) {
      candidates.setLogit(place, candidates.logit(place) + biases[i]);
    }
  }
}
