package dev.ocellus.accel;

/** Computes {@link Doubling}. */
final class Doublings {
  private static final int ROWS = 64;

  private Doublings() {}

  static void run(Doubling d, Crew crew) throws Throwable {
    crew.pieces(
        Math.toIntExact(Math.ceilDiv(d.rows(), (long) ROWS)),
        (piece, thread) -> {
          float[] row = new float[d.width()];
          float[] wide = new float[2 * d.width()];
          long end = Math.min(d.rows(), (piece + 1L) * ROWS);
          for (long y = (long) piece * ROWS; y < end; y++) {
            NativeFloats.read(d.source() + 4 * y * row.length, row, 0, row.length);
            for (int x = 0; x < row.length; x++) {
              wide[2 * x] = row[x];
              wide[2 * x + 1] = row[x];
            }
            long target = d.target() + 8 * y * wide.length;
            NativeFloats.write(wide, 0, target, wide.length);
            NativeFloats.write(wide, 0, target + 4L * wide.length, wide.length);
          }
        });
  }
}
