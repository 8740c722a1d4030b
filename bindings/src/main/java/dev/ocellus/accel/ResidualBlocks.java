package dev.ocellus.accel;

import dev.ocellus.accel.Convolution.Size;
import dev.ocellus.accel.NormedRows.Rows;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Computes {@link ResidualBlock} for one image. */
final class ResidualBlocks {
  private final ResidualBlock block;
  private final long source;
  private final Convolution last;
  private final Crew crew;
  private final ProductKernel products;
  private final Size in;
  private final Size mid;
  private final Moments[] moments;
  private final NormedRows first;
  private final NormedRows second;
  private final int rows;

  /**
   * @param source address of the image's maps
   * @param last the second convolution for the image
   */
  private ResidualBlocks(
      ResidualBlock block, long source, Convolution last, Crew crew, ProductKernel products) {
    this.block = block;
    this.source = source;
    this.last = last;
    this.crew = crew;
    this.products = products;
    in = block.conv1().from();
    mid = block.conv1().to();
    moments = new Moments[block.norm2().groups()];
    first = new NormedRows(block.norm1(), in, new Moments[block.norm1().groups()], crew);
    second = new NormedRows(block.norm2(), mid, moments, crew);
    rows = Math.min(Strips.rows(in, 4), Strips.rows(mid, 2));
  }

  static void run(ResidualBlock block, Crew crew, ProductKernel products) throws Throwable {
    for (int i = 0; i < block.conv2().batch(); i++) {
      long source = block.norm1().source() + 4 * block.conv1().from().floats() * i;
      new ResidualBlocks(block, source, block.conv2().image(i), crew, products).run();
    }
  }

  private void run() throws Throwable {
    first.measure(source);
    moments();
    result();
  }

  private long inBytes(int count) {
    return 4L * in.width() * count * in.channels();
  }

  private long midBytes(int count) {
    return 4L * mid.width() * count * mid.channels();
  }

  /** The moments of what the first convolution gives, strip by strip. */
  private void moments() throws Throwable {
    MomentSums sums = new MomentSums(moments.length, crew);
    Convolver.@Nullable Way way = null;
    Rows all = new Rows(source, 0, in.height());
    for (int y = 0; y < mid.height(); y += rows) {
      int n = Math.min(rows, mid.height() - y);
      long strip = crew.strip(inBytes(n + 2) + midBytes(n));
      long between = strip + inBytes(n + 2);
      first.run(all, new Rows(strip, y - 1, n + 2), 0);
      if (way == null || n < rows) {
        way = way(Strips.of(block.conv1(), strip, 0, between, n, (long) n * mid.width()));
      }
      way.run(0);
      sums.add(between, (long) n * mid.width() * mid.channels() / moments.length);
    }
    sums.finish(block.norm2().eps(), moments);
  }

  /**
   * The result, which may take the place of the maps: a strip keeps the rows that the next needs.
   */
  private void result() throws Throwable {
    Convolver.@Nullable Way way1 = null;
    Convolver.@Nullable Way way2 = null;
    Rows all = new Rows(source, 0, in.height());
    int kept = 0;
    for (int y = 0; y < mid.height(); y += rows) {
      int n = Math.min(rows, mid.height() - y);
      int count = n + 4;
      int most = Math.min(rows, mid.height()) + 4; // so that the first part stays where it is
      long strip = crew.strip(inBytes(most) + midBytes(n + 2));
      long between = strip + inBytes(most);
      if (way1 == null || n < rows) {
        way1 = way(Strips.of(block.conv1(), strip, 0, between, n + 2, (n + 2L) * mid.width()));
        way2 = way(Strips.of(last, between, last.added(), last.target(), n, last.plane()));
      }
      if (kept > 0) {
        keep(strip, rows + 4, count);
      }
      first.run(all, new Rows(strip, y - 2, count), kept);
      kept = 4;
      way1.run(0);
      Rows middle = new Rows(between, y - 1, n + 2);
      second.run(middle, middle, 0);
      Objects.requireNonNull(way2).run(4L * y * mid.width());
    }
  }

  /** The last four rows of each channel of a strip become the first four of the next. */
  private void keep(long strip, int before, int count) throws Throwable {
    long width = in.width();
    for (int channel = 0; channel < in.channels(); channel++) { // in order, as they may overlap
      long from = strip + 4 * width * ((long) before * channel + before - 4);
      long to = strip + 4 * width * ((long) count * channel);
      NativeFloats.copy(from, to, 4 * width);
    }
  }

  private Convolver.Way way(Convolution c) {
    return Convolver.way(c, crew, products);
  }
}
