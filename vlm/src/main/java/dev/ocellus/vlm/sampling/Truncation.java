package dev.ocellus.vlm.sampling;

/** The samplers without memory that drop unlikely candidates. */
final class Truncation {
  /** How many candidates top-p sorts at first: enough for most distributions. */
  private static final int FIRST_SORTED = 256;

  private static final int GROWTH = 16;

  private Truncation() {}

  /**
   * Keeps the likeliest candidates until their probabilities add up to {@code p} (Holtzman et al.,
   * arXiv:1904.09751).
   */
  static void topP(Candidates candidates, float p, int minKeep) {
    candidates.softmax();
    float[] probabilities = candidates.probabilities();
    if (candidates.isSorted()) {
      float sum = 0;
      int kept = 0;
      while (kept < candidates.size() && (sum < p || kept < minKeep || kept == 0)) {
        sum += probabilities[kept++];
      }
      candidates.truncate(kept);
      return;
    }
    int kept = 0;
    float sum = 0;
    long[] keys = {};
    for (int n = FIRST_SORTED; kept < candidates.size(); n *= GROWTH) {
      n = Math.min(n, candidates.size());
      keys = candidates.topKeys(n);
      while (kept < n && (sum < p || kept < minKeep || kept == 0)) {
        sum += probabilities[TopSelector.index(keys[kept++])];
      }
      if (kept < n) {
        break;
      }
    }
    candidates.keep(keys, kept);
    candidates.setSorted(true);
  }

  /**
   * Drops the candidates less than {@code p} times as likely as the likeliest (Nguyen et al.,
   * arXiv:2407.01082).
   */
  static void minP(Candidates candidates, float p, int minKeep) {
    float threshold = candidates.maxLogit() + (float) Math.log(p);
    if (!candidates.isSorted()) {
      int enough = 0;
      float[] logits = candidates.logits();
      for (int i = 0; i < candidates.size(); i++) {
        enough += logits[i] >= threshold ? 1 : 0;
      }
      if (enough > 0 && enough >= minKeep) {
        candidates.keepAtLeast(threshold);
        return;
      }
      candidates.keepTop(Math.clamp(minKeep, 1, candidates.size()));
      return;
    }
    int kept = 1;
    while (kept < candidates.size() && (candidates.logit(kept) >= threshold || kept < minKeep)) {
      kept++;
    }
    candidates.truncate(kept);
  }

  /**
   * Keeps the candidates whose surprise is nearest to the expected one until their probabilities
   * exceed {@code p} (Meister et al., arXiv:2202.00666). Leaves them in that order.
   */
  static void typical(Candidates candidates, float p, int minKeep) {
    candidates.sort();
    candidates.softmax();
    int size = candidates.size();
    float[] probabilities = candidates.probabilities();
    float entropy = entropy(probabilities, size);
    float[] strangeness = new float[size];
    for (int i = 0; i < size; i++) {
      strangeness[i] = Math.abs((float) -Math.log(probabilities[i]) - entropy);
    }
    long[] keys = candidates.keysByAscending(strangeness);
    int kept = 0;
    float sum = 0;
    while (kept < size && (sum <= p || kept < minKeep)) {
      sum += probabilities[TopSelector.index(keys[kept++])];
    }
    candidates.keep(keys, kept);
    candidates.setSorted(false);
  }

  /** In nats; what has no probability adds nothing. */
  static float entropy(float[] probabilities, int size) {
    float entropy = 0;
    for (int i = 0; i < size; i++) {
      float p = probabilities[i];
      if (p > 0) {
        entropy -= p * (float) Math.log(p);
      }
    }
    return entropy;
  }

  /**
   * Masks the logits more than {@code n} standard deviations below the largest (Tang et al.,
   * arXiv:2411.07641). What is masked already does not count.
   */
  static void topNSigma(Candidates candidates, float n) {
    int size = candidates.size();
    if (size <= 1) {
      return;
    }
    float[] logits = candidates.logits();
    float max = candidates.maxLogit();
    float sum = 0;
    int count = 0;
    for (int i = 0; i < size; i++) {
      if (logits[i] != Float.NEGATIVE_INFINITY) {
        sum += logits[i];
        count++;
      }
    }
    float mean = sum / count;
    float squares = 0;
    for (int i = 0; i < size; i++) {
      if (logits[i] != Float.NEGATIVE_INFINITY) {
        double distance = logits[i] - mean;
        squares = (float) (squares + distance * distance);
      }
    }
    float threshold = max - n * (float) Math.sqrt(squares / count);
    for (int i = 0; i < size; i++) {
      if (logits[i] < threshold) {
        logits[i] = Float.NEGATIVE_INFINITY;
      }
    }
    candidates.logitsChanged(true); // only a tail fell
  }
}
