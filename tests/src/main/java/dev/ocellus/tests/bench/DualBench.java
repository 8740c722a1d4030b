package dev.ocellus.tests.bench;

import com.sun.management.OperatingSystemMXBean;
import dev.ocellus.compute.MatrixPrecision;
import dev.ocellus.vlm.embedding.DualEncoder;
import dev.ocellus.vlm.embedding.EmbeddingOptions;
import dev.ocellus.vlm.image.RgbImage;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/** Vectors of a dual encoder: milliseconds of one, on the clock and of the processor. */
public final class DualBench {
  private static final int SIDE = 256;

  private DualBench() {}

  /**
   * {@code -m FILE [--precision P] -t THREADS -n VECTORS [-w RUNS] -r RUNS [--only NAME]}; prints
   * for images, short texts and texts as long as the context {@code NAME MS…} and {@code NAME-cpu
   * MS…}, a number for each run after the first {@code -w}, and the smallest as {@code NAME-best}.
   */
  public static void main(String[] args) throws IOException {
    var options = new Options(args);
    int n = options.number("-n", 8);
    int warmUp = options.number("-w", 1);
    int runs = options.number("-r", 3);
    var precision =
        MatrixPrecision.valueOf(options.text("--precision", "exact").toUpperCase(Locale.ROOT));
    var how = new EmbeddingOptions(options.number("-t", 1), false, precision);
    try (DualEncoder encoder = DualEncoder.open(options.path("-m"), how)) {
      String only = options.text("--only", "");
      List<RgbImage> images = IntStream.range(0, n).mapToObj(DualBench::noise).toList();
      if (only.isEmpty() || only.equals("images")) {
        measure("images", warmUp, runs, n, () -> encoder.imageFeatures(images));
      }
      if (only.isEmpty() || only.equals("texts")) {
        texts(encoder, "texts", warmUp, runs, n, "a photo of a dog on a beach");
      }
      if (only.isEmpty() || only.equals("long-texts")) {
        texts(encoder, "long-texts", warmUp, runs, n, "a dog ".repeat(encoder.contextLength()));
      }
    }
  }

  private static void texts(
      DualEncoder encoder, String name, int warmUp, int runs, int n, String text) {
    List<String> texts = Collections.nCopies(n, text);
    measure(name, warmUp, runs, n, () -> encoder.textFeatures(texts));
  }

  private static void measure(String name, int warmUp, int runs, int n, Runnable work) {
    for (int i = 0; i < warmUp; i++) {
      work.run();
    }
    double[] wall = new double[runs];
    double[] cpu = new double[runs];
    for (int i = 0; i < runs; i++) {
      long used = cpuNanos();
      long start = System.nanoTime();
      work.run();
      wall[i] = (System.nanoTime() - start) / 1e6 / n;
      cpu[i] = (cpuNanos() - used) / 1e6 / n;
    }
    Options.print(name, wall);
    Options.print(name + "-cpu", cpu);
    Options.print(name + "-best", Arrays.stream(wall).min().orElseThrow());
  }

  private static long cpuNanos() {
    var system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    return system.getProcessCpuTime();
  }

  private static RgbImage noise(int seed) {
    byte[] rgb = new byte[3 * SIDE * SIDE];
    new SplittableRandom(seed).nextBytes(rgb);
    return RgbImage.of(SIDE, SIDE, rgb);
  }
}
