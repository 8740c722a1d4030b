package dev.ocellus.accel;

/** Computes {@link Sum}, and what else is added to numbers where they lie. */
final class Sums {
  private static final int CHUNK = 2048;
  private static final long PIECE = 1 << 16;

  private Sums() {}

  static void run(Sum s, Crew crew) throws Throwable {
    crew.pieces(
        Math.toIntExact(Math.ceilDiv(s.count(), PIECE)),
        (piece, thread) -> {
          long at = 4 * PIECE * piece;
          long n = Math.min(PIECE, s.count() - PIECE * piece);
          add(s.first() + at, s.second() + at, 0, s.target() + at, n);
        });
  }

  /** Adds a number and, where there are some, others: {@code target = first + number + second}. */
  static void add(long first, long second, float number, long target, long count) {
    float[] x = new float[(int) Math.min(CHUNK, count)];
    float[] y = new float[second == 0 ? 0 : x.length];
    for (long done = 0; done < count; done += x.length) {
      int n = (int) Math.min(x.length, count - done);
      NativeFloats.read(first + 4 * done, x, 0, n);
      if (number != 0) {
        add(x, number, n);
      }
      if (second != 0) {
        NativeFloats.read(second + 4 * done, y, 0, n);
        add(x, y, n);
      }
      NativeFloats.write(x, 0, target + 4 * done, n);
    }
  }

  private static void add(float[] x, float number, int n) {
    for (int i = 0; i < n; i++) {
      x[i] += number;
    }
  }

  static void add(float[] x, float[] y, int n) {
    for (int i = 0; i < n; i++) {
      x[i] += y[i];
    }
  }
}
