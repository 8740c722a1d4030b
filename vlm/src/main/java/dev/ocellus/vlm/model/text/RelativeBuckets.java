package dev.ocellus.vlm.model.text;

/**
 * Which of few biases belongs to a distance between two tokens: small distances have one each,
 * larger ones share them by their logarithm. The reference is {@code T5Attention} of transformers,
 * of whose single precision this has every rounding.
 *
 * @param n biases
 * @param maxDistance from which on all share the last one
 * @param bothWays whether a half of them is for tokens that come later
 */
record RelativeBuckets(int n, int maxDistance, boolean bothWays) {
  /**
   * The number of a bias.
   *
   * @param distance place of the key minus that of the query
   */
  int of(int distance) {
    int nOneWay = bothWays ? n / 2 : n;
    int first = bothWays && distance > 0 ? nOneWay : 0;
    int far = bothWays ? Math.abs(distance) : Math.max(0, -distance);
    int nExact = nOneWay / 2;
    if (far < nExact) {
      return first + far;
    }
    float ratio = (float) far / nExact;
    float log = (float) Math.log(ratio);
    float span = (float) Math.log((double) maxDistance / nExact);
    int more = (int) (log / span * (nOneWay - nExact));
    return first + Math.min(nExact + more, nOneWay - 1);
  }
}
