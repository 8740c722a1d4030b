package dev.ocellus.vlm.sampling;

import java.nio.FloatBuffer;
import java.util.Objects;

/**
 * The tokens that may still come next: parallel arrays of token, logit and probability, of which
 * the first {@link #size} places count.
 *
 * <p>A chain starts with the whole vocabulary in order, so place {@code i} holds token {@code i}
 * until a sampler drops or sorts. The arrays live as long as their chain: nothing is allocated per
 * token of the vocabulary, and nothing sorts more of it than is asked for.
 *
 * <p>Probabilities mean something only after {@link #softmax}, and only until logits change.
 */
public final class Candidates {
  private final TopSelector selector = new TopSelector();
  private float[] logits = new float[0];
  private float[] owned = new float[0];
  private float[] probabilities = new float[0];
  private int[] tokens = new int[0];
  private int[] spareTokens = new int[0];
  private float[] spareLogits = new float[0];
  private float[] spareProbabilities = new float[0];

  private int vocabularySize;
  private int size;
  private int selected = -1;
  private boolean sorted;

  /** {@code tokens[i] == i} from here on. */
  private int disturbed;

  /** The selector's column maxima are those of the logits. */
  private boolean scanned;

  private float scannedMax;

  Candidates() {}

  /**
   * Starts with a whole vocabulary whose logits are in the array; they will be changed in place.
   */
  void start(float[] vocabularyLogits) {
    start(vocabularyLogits, vocabularyLogits.length);
  }

  /** Starts with a whole vocabulary, copied from between the buffer's position and its limit. */
  void start(FloatBuffer vocabularyLogits) {
    int n = vocabularyLogits.remaining();
    if (owned.length < n) {
      owned = new float[n];
    }
    vocabularyLogits.get(vocabularyLogits.position(), owned, 0, n);
    start(owned, n);
  }

  private void start(float[] values, int n) {
    if (n == 0) {
      throw new IllegalArgumentException("logits: expected one for each token, found none");
    }
    if (tokens.length < n) {
      tokens = new int[n];
      probabilities = new float[n];
      disturbed = n;
    }
    for (int i = 0; i < disturbed; i++) {
      tokens[i] = i;
    }
    disturbed = 0;
    logits = values;
    vocabularySize = n;
    size = n;
    selected = -1;
    sorted = false;
    scanned = true;
    scannedMax = selector.scan(values, n);
    requireFinite("logits", scannedMax);
  }

  /** The number of candidates. */
  public int size() {
    return size;
  }

  /** The number of tokens that the chain started with. */
  public int vocabularySize() {
    return vocabularySize;
  }

  /** The token in a place. */
  public int token(int place) {
    return tokens[Objects.checkIndex(place, size)];
  }

  /** The logit in a place. */
  public float logit(int place) {
    return logits[Objects.checkIndex(place, size)];
  }

  /** Replaces the logit in a place; −∞ rules the token out. The order is taken to be lost. */
  public void setLogit(int place, float logit) {
    logits[Objects.checkIndex(place, size)] = logit;
    logitsChanged(false);
  }

  /** The probability in a place, from 0 to 1, since the latest {@link #softmax}. */
  public float probability(int place) {
    return probabilities[Objects.checkIndex(place, size)];
  }

  /** Whether the logits are known to descend. */
  public boolean isSorted() {
    return sorted;
  }

  /** The selected place, or −1. */
  public int selected() {
    return selected;
  }

  /** Selects the candidate in a place: what the last sampler of a chain does. */
  public void select(int place) {
    selected = Objects.checkIndex(place, size);
  }

  /** The place of a token, or −1. Takes constant time as long as nothing was dropped or moved. */
  public int placeOf(int token) {
    if (token >= 0 && token < size && tokens[token] == token) {
      return token;
    }
    for (int i = 0; i < Math.min(disturbed, size); i++) {
      if (tokens[i] == token) {
        return i;
      }
    }
    return -1;
  }

  /** Keeps the first {@code newSize} places. */
  public void truncate(int newSize) {
    if (newSize < 1 || newSize > size) {
      throw new IllegalArgumentException("newSize: expected 1 to " + size + ", found " + newSize);
    }
    scanned &= newSize == size;
    size = newSize;
  }

  /** Drops the first {@code count} places. */
  public void dropFirst(int count) {
    if (count < 0 || count >= size) {
      throw new IllegalArgumentException("count: expected 0 to " + (size - 1) + ", found " + count);
    }
    int rest = size - count;
    System.arraycopy(tokens, count, tokens, 0, rest);
    System.arraycopy(logits, count, logits, 0, rest);
    System.arraycopy(probabilities, count, probabilities, 0, rest);
    moved(rest);
  }

  /**
   * Keeps the candidates with a logit of at least {@code threshold}, in the order that they have.
   */
  public void keepAtLeast(float threshold) {
    int kept = 0;
    for (int i = 0; i < size; i++) {
      if (logits[i] >= threshold) {
        tokens[kept] = tokens[i];
        logits[kept] = logits[i];
        probabilities[kept++] = probabilities[i];
      }
    }
    if (kept == 0) {
      throw SamplingException.unusable("no logit reaches " + threshold, logits, size);
    }
    moved(kept);
  }

  /** Keeps the {@code k} largest logits (or all, if there are fewer), sorted. */
  public void keepTop(int k) {
    SamplingChecks.atLeast("k", k, 1);
    int n = Math.min(k, size);
    if (sorted) {
      truncate(n);
    } else {
      keep(topKeys(n), n);
      sorted = true;
    }
  }

  /** Sorts by descending logit; equal logits stay in the order that they have. */
  public void sort() {
    keepTop(size);
  }

  /** The largest logit. */
  public float maxLogit() {
    if (sorted) {
      return logits[0];
    }
    if (scanned) {
      return scannedMax;
    }
    float max = logits[0];
    for (int i = 1; i < size; i++) {
      max = Math.max(max, logits[i]);
    }
    return max;
  }

  /** The first place with the largest logit. */
  public int placeOfMax() {
    if (scanned) {
      return selector.indexOfMax(logits, size, scannedMax);
    }
    int best = 0;
    for (int i = 1; i < size; i++) {
      if (logits[i] > logits[best]) {
        best = i;
      }
    }
    return best;
  }

  /**
   * Computes the probabilities of the candidates from their logits, in single precision.
   *
   * @throws SamplingException if the largest logit is not finite
   */
  public void softmax() {
    float max = requireFinite("softmax", maxLogit());
    float sum = 0;
    for (int i = 0; i < size; i++) {
      float p = Exp.exp(logits[i] - max);
      probabilities[i] = p;
      sum += p;
    }
    for (int i = 0; i < size; i++) {
      probabilities[i] /= sum;
    }
    requireFinite("softmax", sum);
  }

  /** The keys of the {@code n} largest logits; see {@link TopSelector#index}. */
  long[] topKeys(int n) {
    return selector.largest(logits, size, n, scanned);
  }

  /** The keys of all places by ascending value; see {@link TopSelector#index}. */
  long[] keysByAscending(float[] values) {
    return selector.sortAscending(values, size);
  }

  /** Replaces the candidates by those in the places that the first {@code n} keys name. */
  void keep(long[] keys, int n) {
    if (spareTokens.length < n) {
      int capacity = Math.max(n, Math.min(vocabularySize, 2 * n));
      spareTokens = new int[capacity];
      spareLogits = new float[capacity];
      spareProbabilities = new float[capacity];
    }
    for (int i = 0; i < n; i++) {
      int from = TopSelector.index(keys[i]);
      spareTokens[i] = tokens[from];
      spareLogits[i] = logits[from];
      spareProbabilities[i] = probabilities[from];
    }
    System.arraycopy(spareTokens, 0, tokens, 0, n);
    System.arraycopy(spareLogits, 0, logits, 0, n);
    System.arraycopy(spareProbabilities, 0, probabilities, 0, n);
    moved(n);
  }

  /**
   * The logits, for a sampler of this package, which calls {@link #logitsChanged} after a change.
   */
  float[] logits() {
    return logits;
  }

  /** The probabilities, for a sampler of this package. */
  float[] probabilities() {
    return probabilities;
  }

  /** Forgets what was known about the logits. */
  void logitsChanged(boolean orderKept) {
    scanned = false;
    sorted &= orderKept;
  }

  void setSorted(boolean sorted) {
    this.sorted = sorted;
  }

  /**
   * @throws SamplingException if {@code value}, computed from the logits, is not finite
   */
  float requireFinite(String where, float value) {
    if (!Float.isFinite(value)) {
      throw SamplingException.unusable(where, logits, size);
    }
    return value;
  }

  private void moved(int newSize) {
    disturbed = Math.max(disturbed, newSize);
    size = newSize;
    scanned = false;
  }
}
