package dev.ocellus.accel;

import dev.ocellus.accel.NormedRows.Rows;
import org.jspecify.annotations.Nullable;

/** Computes {@link NormedConvolution}. */
final class NormedConvolutions {
  private NormedConvolutions() {}

  static void run(NormedConvolution n, Crew crew, ProductKernel products) throws Throwable {
    for (int i = 0; i < n.convolution().batch(); i++) {
      Convolution image = n.convolution().image(i);
      run(n.norm(), n.norm().source() + 4 * image.from().floats() * i, image, crew, products);
    }
  }

  private static void run(
      ChannelPass norm, long source, Convolution c, Crew crew, ProductKernel products)
      throws Throwable {
    NormedRows normed = new NormedRows(norm, c.from(), new Moments[norm.groups()], crew);
    normed.measure(source);
    int width = c.to().width();
    int height = c.to().height();
    int rows = Strips.rows(c.from(), 2);
    Rows all = new Rows(source, 0, height);
    Convolver.@Nullable Way way = null;
    for (int y = 0; y < height; y += rows) {
      int n = Math.min(rows, height - y);
      long strip = crew.strip(4L * width * (n + 2) * c.from().channels());
      normed.run(all, new Rows(strip, y - 1, n + 2), 0);
      if (way == null || n < rows) { // the last strip may be a shorter one
        Convolution part = Strips.of(c, strip, c.added(), c.target(), n, c.plane());
        way = Convolver.way(part, crew, products);
      }
      way.run(4L * y * width);
    }
  }
}
