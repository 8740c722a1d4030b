package dev.ocellus.accel;

import dev.ocellus.accel.Convolution.Size;

/** Normalizes rows of the maps of one image; beside the maps there are zeros. */
final class NormedRows {
  private final ChannelPass norm;
  private final Size size;
  private final Moments[] moments;
  private final Crew crew;
  private final float[][] values;

  /**
   * @param size of the maps
   * @param moments of each group, which may be set later
   */
  NormedRows(ChannelPass norm, Size size, Moments[] moments, Crew crew) {
    this.norm = norm;
    this.size = size;
    this.moments = moments;
    this.crew = crew;
    values = new float[crew.size()][ChannelPasses.CHUNK];
  }

  /** Rows of maps that lie in memory. */
  record Rows(long address, int first, int count) {}

  /**
   * Normalizes.
   *
   * @param from rows as they are, among them all that are wanted and in the maps
   * @param to where they go, which may be the same; a row that is not in the maps is one of zeros
   * @param skipped how many rows of {@code to} are there already
   */
  void run(Rows from, Rows to, int skipped) throws Throwable {
    long width = size.width();
    int first = to.first() + skipped;
    int end = to.first() + to.count();
    int begin = Math.clamp(0, first, end); // of those in the maps
    int stop = Math.max(begin, Math.min(end, size.height()));
    int perGroup = size.channels() / moments.length;
    crew.pieces(
        size.channels(),
        (channel, thread) -> {
          long target = to.address() + 4 * width * ((long) to.count() * channel + skipped);
          long source =
              from.address() + 4 * width * ((long) from.count() * channel + begin - from.first());
          long above = width * (begin - first);
          long inside = width * (stop - begin);
          Moments m = moments[channel / perGroup];
          NativeFloats.clear(target, above);
          ChannelPasses.line(
              source,
              target + 4 * above,
              inside,
              m.mean(),
              m.factor() * NativeFloats.get(norm.scale() + 4L * channel),
              NativeFloats.get(norm.shift() + 4L * channel),
              norm.silu(),
              values[thread]);
          NativeFloats.clear(target + 4 * (above + inside), width * (end - stop));
        });
  }

  /** Takes the moments of whole maps. */
  void measure(long source) throws Throwable {
    long perGroup = size.floats() / moments.length;
    crew.pieces(
        moments.length,
        (group, thread) ->
            moments[group] =
                Moments.of(source + 4 * perGroup * group, perGroup, norm.eps(), values[thread]));
  }
}
