package dev.ocellus.quantize.measure;

/**
 * How two vectors or sets of vectors differ.
 *
 * @param cosine of the angle between them; 1 for the same direction
 * @param relative length of the difference, relative to the first
 */
public record VectorError(double cosine, double relative) {

  /** Sums, so that long vectors can be given in pieces. */
  public static final class Sums {
    private double aa;
    private double bb;
    private double ab;
    private double dd;

    /** Starts with nothing. */
    public Sums() {}

    /** Adds the next piece of both. */
    public void add(float[] a, float[] b) {
      if (a.length != b.length) {
        throw new IllegalArgumentException(
            "%d values cannot be compared with %d".formatted(a.length, b.length));
      }
      for (int i = 0; i < a.length; i++) {
        double d = (double) a[i] - b[i];
        aa += (double) a[i] * a[i];
        bb += (double) b[i] * b[i];
        ab += (double) a[i] * b[i];
        dd += d * d;
      }
    }

    /** The error of all pieces together. */
    public VectorError error() {
      boolean zero = aa == 0 || bb == 0;
      double cosine = zero ? aa == bb ? 1 : 0 : ab / Math.sqrt(aa * bb);
      return new VectorError(cosine, aa == 0 ? dd == 0 ? 0 : 1 : Math.sqrt(dd / aa));
    }
  }

  /** Of one pair of vectors. */
  public static VectorError of(float[] a, float[] b) {
    Sums sums = new Sums();
    sums.add(a, b);
    return sums.error();
  }
}
