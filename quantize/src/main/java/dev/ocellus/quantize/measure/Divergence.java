package dev.ocellus.quantize.measure;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * How far the predictions of a model B are from those of a reference A, token by token: the
 * Kullback-Leibler divergence {@code Σ p_A (log p_A - log p_B)}, whether both have the same top
 * token, and how they differ on what really comes next. Statistics are those of {@code
 * llama-perplexity --kl-divergence}, without its rounding of A to 16 bits.
 *
 * <p>Predictions are added by one thread at a time.
 */
public final class Divergence {
  /** Shares of predictions for which the divergence is told, in percent. */
  private static final List<Double> PERCENTILES =
      List.of(0.1, 1.0, 5.0, 10.0, 50.0, 90.0, 95.0, 99.0, 99.9);

  /** One prediction. */
  record Point(double kl, double lossA, double lossB, double deltaP, boolean sameTop) {}

  /**
   * The result.
   *
   * @param nTokens predictions
   * @param kl mean divergence in nats
   * @param percentiles divergence below which that percentage of predictions lies
   * @param klMax largest divergence
   * @param sameTop share of predictions with the same top token
   * @param perplexityA of the reference, on what comes next
   * @param perplexityB of the other
   * @param ratio {@code perplexityB / perplexityA}; its error takes into account that both saw the
   *     same text
   * @param deltaP mean of {@code p_B - p_A} of what comes next
   * @param deltaPRms root of the mean square of that
   * @param values all divergences, sorted
   */
  public record Result(
      long nTokens,
      Estimate kl,
      Map<Double, Double> percentiles,
      double klMax,
      Estimate sameTop,
      Estimate perplexityA,
      Estimate perplexityB,
      Estimate ratio,
      Estimate deltaP,
      double deltaPRms,
      float[] values) {

    /** Divergence of the middle prediction. */
    public double klMedian() {
      return percentiles.getOrDefault(50.0, 0.0);
    }
  }

  private float[] values = new float[1024];
  private int n;
  private long same;
  private double kl;
  private double kl2;
  private double a;
  private double a2;
  private double b;
  private double b2;
  private double ab;
  private double dp;
  private double dp2;

  /** Starts with no predictions. */
  public Divergence() {}

  /**
   * Compares two predictions.
   *
   * @param logitsA of the reference
   * @param next what really comes next
   */
  public void add(float[] logitsA, float[] logitsB, int next) {
    add(point(logitsA, logitsB, next));
  }

  static Point point(float[] logitsA, float[] logitsB, int next) {
    if (logitsA.length != logitsB.length) {
      throw new IllegalArgumentException(
          "%d logits cannot be compared with %d: the models have different vocabularies"
              .formatted(logitsA.length, logitsB.length));
    }
    LogSoftmax.Norm normA = LogSoftmax.norm(logitsA);
    LogSoftmax.Norm normB = LogSoftmax.norm(logitsB);
    double sum = 0;
    int topA = 0;
    int topB = 0;
    for (int i = 0; i < logitsA.length; i++) {
      topA = logitsA[i] > logitsA[topA] ? i : topA;
      topB = logitsB[i] > logitsB[topB] ? i : topB;
      double logA = normA.logProbability(logitsA[i]);
      if (logA > -40) { // the rest weighs nothing
        sum += LogSoftmax.exp(logA) * (logA - normB.logProbability(logitsB[i]));
      }
    }
    double lossA = -normA.logProbability(logitsA[next]);
    double lossB = -normB.logProbability(logitsB[next]);
    return new Point(
        Math.max(0, sum), lossA, lossB, Math.exp(-lossB) - Math.exp(-lossA), topA == topB);
  }

  void add(Point p) {
    if (n == values.length) {
      values = Arrays.copyOf(values, 2 * n);
    }
    values[n++] = (float) p.kl();
    same += p.sameTop() ? 1 : 0;
    kl += p.kl();
    kl2 += p.kl() * p.kl();
    a += p.lossA();
    a2 += p.lossA() * p.lossA();
    b += p.lossB();
    b2 += p.lossB() * p.lossB();
    ab += p.lossA() * p.lossB();
    dp += p.deltaP();
    dp2 += p.deltaP() * p.deltaP();
  }

  /** Predictions so far. */
  public int size() {
    return n;
  }

  /**
   * The statistics so far.
   *
   * @throws IllegalStateException if nothing was added
   */
  public Result result() {
    if (n == 0) {
      throw new IllegalStateException("No predictions were compared");
    }
    float[] sorted = Arrays.copyOf(values, n);
    Arrays.sort(sorted);
    Map<Double, Double> percentiles = new TreeMap<>();
    PERCENTILES.forEach(p -> percentiles.put(p, percentile(sorted, p / 100)));
    Estimate lossA = Estimate.ofSums(a, a2, n);
    Estimate lossB = Estimate.ofSums(b, b2, n);
    double covariance = n < 10 ? 0 : (ab / n - a / n * (b / n)) / (n - 1);
    double variance =
        lossA.error() * lossA.error() + lossB.error() * lossB.error() - 2 * covariance;
    Estimate logRatio =
        new Estimate(lossB.value() - lossA.value(), Math.sqrt(Math.max(0, variance)));
    double share = (double) same / n;
    return new Result(
        n,
        Estimate.ofSums(kl, kl2, n),
        percentiles,
        sorted[n - 1],
        new Estimate(share, Math.sqrt(share * (1 - share) / Math.max(1, n - 1))),
        lossA.exp(),
        lossB.exp(),
        logRatio.exp(),
        Estimate.ofSums(dp, dp2, n),
        Math.sqrt(dp2 / n),
        sorted);
  }

  private static double percentile(float[] sorted, double share) {
    double at = share * (sorted.length - 1);
    int low = (int) at;
    int high = Math.min(low + 1, sorted.length - 1);
    return sorted[low] + (at - low) * (sorted[high] - sorted[low]);
  }
}
