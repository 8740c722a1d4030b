package dev.ocellus.accel;

/**
 * Moments of groups of channels that come in parts, each of which is measured around its own mean
 * (Chan, Golub and LeVeque, Algorithms for Computing the Sample Variance, 1983).
 */
final class MomentSums {
  private final Crew crew;
  private final float[][] values;
  private final double[] means;
  private final double[] squares;
  private long count;

  MomentSums(int groups, Crew crew) {
    this.crew = crew;
    values = new float[crew.size()][ChannelPasses.CHUNK];
    means = new double[groups];
    squares = new double[groups];
  }

  /**
   * Adds a part.
   *
   * @param address of the first group's numbers, behind which those of the others lie
   * @param n numbers of a group
   */
  void add(long address, long n) throws Throwable {
    long before = count;
    crew.pieces(
        means.length,
        (group, thread) -> {
          long at = address + 4 * n * group;
          double mean = Moments.sum(at, n, 0, false, values[thread]) / n;
          double square = Moments.sum(at, n, (float) mean, true, values[thread]);
          square -= n * (mean - (float) mean) * (mean - (float) mean);
          double apart = mean - means[group];
          means[group] += apart * n / (before + n);
          squares[group] += square + apart * apart * before * n / (before + n);
        });
    count = before + n;
  }

  /**
   * The moments of all parts.
   *
   * @param eps that is added to the variance
   */
  void finish(float eps, Moments[] to) {
    for (int i = 0; i < to.length; i++) {
      to[i] = new Moments((float) means[i], (float) (1 / Math.sqrt(squares[i] / count + eps)));
    }
  }
}
