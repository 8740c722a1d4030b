package dev.ocellus.tests.bench;

import com.sun.management.OperatingSystemMXBean;
import dev.ocellus.compute.MatrixPrecision;
import dev.ocellus.vlm.encoder.VisionEncoder;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.codec.ImageDecoder;
import dev.ocellus.vlm.vision.ImageInput;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.Locale;
import java.util.SplittableRandom;

/** Milliseconds of preprocessing and encoding an image, of random pixels if none is given. */
public final class ImageBench {
  private static final int SIDE = 640;

  private ImageBench() {}

  /**
   * {@code --mmproj FILE [--image FILE] [--vision-precision P] -t N -r N}; prints {@code first MS},
   * {@code prepare MS…}, {@code encode MS…} and, of the processor's time, {@code cpu MS…}.
   */
  public static void main(String[] args) throws IOException {
    var options = new Options(args);
    int runs = options.number("-r", 5);
    try (var encoder =
        VisionEncoder.open(
            options.path("--mmproj"),
            options.number("-t", 2),
            options.number("-ngl", 0) != 0,
            MatrixPrecision.valueOf(
                options.text("--vision-precision", "exact").toUpperCase(Locale.ROOT)))) {
      String file = options.text("--image", "");
      RgbImage image = file.isEmpty() ? noise(SIDE, SIDE) : ImageDecoder.decode(Path.of(file));
      long start = System.nanoTime();
      encoder.encode(encoder.prepare(image));
      Options.print("first", (System.nanoTime() - start) / 1e6);
      double[] prepare = new double[runs];
      double[] encode = new double[runs];
      double[] cpu = new double[runs];
      for (int i = 0; i < runs; i++) {
        start = System.nanoTime();
        ImageInput input = encoder.prepare(image);
        long prepared = System.nanoTime();
        long used = cpuNanos();
        encoder.encode(input);
        cpu[i] = (cpuNanos() - used) / 1e6;
        encode[i] = (System.nanoTime() - prepared) / 1e6;
        prepare[i] = (prepared - start) / 1e6;
      }
      Options.print("prepare", prepare);
      Options.print("encode", encode);
      Options.print("cpu", cpu);
    }
  }

  /**
   * Time of all threads on a processor. With one computing thread it hardly depends on what else
   * the machine does; with more, threads that wait for each other count too.
   */
  private static long cpuNanos() {
    var system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    return system.getProcessCpuTime();
  }

  private static RgbImage noise(int width, int height) {
    byte[] rgb = new byte[3 * width * height];
    new SplittableRandom(1).nextBytes(rgb);
    return RgbImage.of(width, height, rgb);
  }
}
