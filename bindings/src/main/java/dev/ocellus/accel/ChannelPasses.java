package dev.ocellus.accel;

/** Computes {@link ChannelPass}: a group, or a channel where there are none, is one piece. */
final class ChannelPasses {
  /** Numbers that are worked with at once. */
  static final int CHUNK = 1024;

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
    Moments moments =
        pass.groups() > 0
            ? Moments.of(pass.source() + at, perPiece * pass.pixels(), pass.eps(), values)
            : Moments.NONE;
    for (int i = 0; i < perPiece; i++) {
      int channel = number * perPiece + i;
      float scale = pass.scale() == 0 ? 1 : NativeFloats.get(pass.scale() + 4L * channel);
      float shift = pass.shift() == 0 ? 0 : NativeFloats.get(pass.shift() + 4L * channel);
      long map = at + 4 * i * pass.pixels();
      line(
          pass.source() + map,
          pass.target() + map,
          pass.pixels(),
          moments.mean(),
          moments.factor() * scale,
          shift,
          pass.silu(),
          values);
    }
  }

  /**
   * Brings numbers that lie one after the other to {@code (x - mean) · scale + shift}, and on to
   * SiLU.
   *
   * @param values what is worked with
   */
  static void line(
      long source,
      long target,
      long count,
      float mean,
      float scale,
      float shift,
      boolean silu,
      float[] values) {
    for (long done = 0; done < count; done += values.length) {
      int n = (int) Math.min(values.length, count - done);
      NativeFloats.read(source + 4 * done, values, 0, n);
      line(values, mean, scale, shift, n);
      if (silu) {
        Silu.apply(values, n);
      }
      NativeFloats.write(values, 0, target + 4 * done, n);
    }
  }

  private static void line(float[] values, float mean, float scale, float shift, int n) {
    for (int i = 0; i < n; i++) {
      values[i] = (values[i] - mean) * scale + shift;
    }
  }
}
