package dev.ocellus.accel;

/**
 * Products of matrices of floats that differ only in their place: {@code d = x · wᵀ}, rows in one
 * piece.
 *
 * @param type of the weights
 * @param rounded whether the numbers of {@code x} may be rounded to the type of the weights
 * @param m rows of {@code x} and {@code d}
 * @param n rows of {@code w}, columns of {@code d}
 * @param k columns of {@code x} and {@code w}
 * @param w the weights
 * @param x floats
 * @param d floats
 * @param n2 how many products there are in the first outer dimension
 * @param n3 and in the second
 */
public record Product(
    WeightType type,
    boolean rounded,
    int m,
    int n,
    int k,
    Matrices w,
    Matrices x,
    Matrices d,
    int n2,
    int n3) {
  /**
   * Where matrices lie.
   *
   * @param address of the first
   * @param row bytes from row to row
   * @param step2 bytes to the next in the first outer dimension
   * @param step3 bytes to the next in the second
   * @param repeat2 how often each is taken, one after the other, in the first outer dimension
   * @param repeat3 and in the second
   */
  public record Matrices(long address, long row, long step2, long step3, int repeat2, int repeat3) {
    /** A single one. */
    public static Matrices one(long address, long row) {
      return new Matrices(address, row, 0, 0, 1, 1);
    }

    long at(int i2, int i3) {
      return address + i2 / repeat2 * step2 + i3 / repeat3 * step3;
    }
  }

  int count() {
    return n2 * n3;
  }

  long wAt(int index) {
    return w.at(index % n2, index / n2);
  }

  long xAt(int index) {
    return x.at(index % n2, index / n2);
  }

  long dAt(int index) {
    return d.at(index % n2, index / n2);
  }
}
