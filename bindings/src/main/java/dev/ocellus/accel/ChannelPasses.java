package dev.ocellus.accel;

/** Computes {@link ChannelPass}: a group, or a channel where there are none, is one piece. */
final class ChannelPasses {
  private static final int CHUNK = 1024;

  private final ChannelPass pass;
  private final int perPiece;

  private ChannelPasses(ChannelPass pass) {
    this.pass = pass;
    perPiece = pass.groups() == 0 ? 1 : pass.channels() / pass.groups();
  }

  static void run(ChannelPass pass, Crew crew) throws Throwable {
    ChannelPasses passes = new ChannelPasses(pass);
    int perImage = pass.channels() / passes.perPiece;
    crew.pieces(
        perImage * pass.batch(),
        (piece, thread) -> passes.piece((long) piece * passes.perPiece, piece % perImage));
  }

  /**
   * @param plane the first map of the piece, of all images
   * @param number of the piece in its image
   */
  private void piece(long plane, int number) {
    float[] values = new float[CHUNK];
    long at = 4 * plane * pass.pixels();
    float mean = 0;
    float factor = 1;
    if (pass.groups() > 0) {
      long n = perPiece * pass.pixels();
      mean = (float) (sum(pass.source() + at, n, 0, false, values) / n);
      double variance = sum(pass.source() + at, n, mean, true, values) / n;
      factor = (float) (1 / Math.sqrt(variance + pass.eps()));
    }
    for (int i = 0; i < perPiece; i++) {
      int channel = number * perPiece + i;
      float scale = pass.scale() == 0 ? 1 : NativeFloats.get(pass.scale() + 4L * channel);
      float shift = pass.shift() == 0 ? 0 : NativeFloats.get(pass.shift() + 4L * channel);
      map(at + 4 * i * pass.pixels(), mean, factor * scale, shift, values);
    }
  }

  /** Sum of {@code x - mean}, or of its squares, of values that lie one after the other. */
  private static double sum(long address, long n, float mean, boolean squares, float[] values) {
    double[] sums = new double[CHUNK];
    for (long done = 0; done < n; done += CHUNK) {
      int count = (int) Math.min(CHUNK, n - done);
      NativeFloats.read(address + 4 * done, values, 0, count);
      if (squares) {
        addSquares(values, mean, sums, count);
      } else {
        add(values, sums, count);
      }
    }
    double sum = 0;
    for (double each : sums) {
      sum += each;
    }
    return sum;
  }

  private static void add(float[] values, double[] sums, int n) {
    for (int i = 0; i < n; i++) {
      sums[i] += values[i];
    }
  }

  private static void addSquares(float[] values, float mean, double[] sums, int n) {
    for (int i = 0; i < n; i++) {
      float x = values[i] - mean;
      sums[i] += x * x;
    }
  }

  private void map(long at, float mean, float scale, float shift, float[] values) {
    for (long done = 0; done < pass.pixels(); done += CHUNK) {
      int n = (int) Math.min(CHUNK, pass.pixels() - done);
      NativeFloats.read(pass.source() + at + 4 * done, values, 0, n);
      line(values, mean, scale, shift, n);
      if (pass.silu()) {
        Silu.apply(values, n);
      }
      NativeFloats.write(values, 0, pass.target() + at + 4 * done, n);
    }
  }

  private static void line(float[] values, float mean, float scale, float shift, int n) {
    for (int i = 0; i < n; i++) {
      values[i] = (values[i] - mean) * scale + shift;
    }
  }
}
