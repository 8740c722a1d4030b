package dev.ocellus.tests.bench;

import dev.ocellus.vlm.image.Resize;
import dev.ocellus.vlm.image.ResizeFilter;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.codec.ImageDecoder;
import java.io.IOException;
import java.nio.file.Path;

/** Milliseconds from an image file to pixels, and to resized ones. */
public final class DecodeBench {
  private static final int RUNS = 8;

  private DecodeBench() {}

  /** {@code --image FILE [--side N]}; prints {@code best MS}, of several runs in one process. */
  public static void main(String[] args) throws IOException {
    var options = new Options(args);
    Path file = options.path("--image");
    int side = options.number("--side", 0);
    double best = Double.MAX_VALUE;
    for (int i = 0; i < RUNS; i++) {
      long start = System.nanoTime();
      RgbImage image = ImageDecoder.decode(file);
      if (side > 0) {
        Resize.resize(image, side, side, ResizeFilter.BICUBIC);
      }
      best = Math.min(best, (System.nanoTime() - start) / 1e6);
    }
    Options.print("best", best);
  }
}
