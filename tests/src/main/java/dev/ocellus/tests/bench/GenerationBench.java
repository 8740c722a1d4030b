package dev.ocellus.tests.bench;

import com.sun.management.OperatingSystemMXBean;
import dev.ocellus.vlm.generation.ComputeOptions;
import dev.ocellus.vlm.generation.ImageCodes;
import dev.ocellus.vlm.generation.VqModel;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/**
 * Seconds that a VQ model takes to decode a square of codes, by the clock and of the processor, the
 * best of some runs, and the most memory that the process had: {@code GenerationBench MODEL.gguf
 * SIDE THREADS RUNS [MIB]}, the last for {@link ComputeOptions#maxBytes}.
 */
public final class GenerationBench {
  private GenerationBench() {}

  /** Prints one line. */
  public static void main(String[] args) throws IOException {
    int side = Integer.parseInt(args[1]);
    int threads = Integer.parseInt(args[2]);
    int runs = Integer.parseInt(args[3]);
    long maxBytes = args.length > 4 ? Long.parseLong(args[4]) << 20 : 0;
    ComputeOptions options = ComputeOptions.cpu(threads).withMaxBytes(maxBytes);
    try (VqModel vq = VqModel.open(Path.of(args[0]), options)) {
      int[] codes = new int[side * side];
      for (int i = 0; i < codes.length; i++) {
        codes[i] = i % vq.nCodes();
      }
      double processor = Double.POSITIVE_INFINITY;
      double best = Double.POSITIVE_INFINITY;
      for (int i = 0; i < runs; i++) {
        long start = System.nanoTime();
        long before = processorNanos();
        vq.decode(new ImageCodes(side, side, codes));
        best = Math.min(best, (System.nanoTime() - start) / 1e9);
        processor = Math.min(processor, (processorNanos() - before) / 1e9);
      }
      System.out.printf(
          Locale.ROOT,
          "%d x %d codes, %d threads: best of %d %.3f s, of the processor %.3f s, %s%n",
          side,
          side,
          threads,
          runs,
          best,
          processor,
          peak());
    }
  }

  private static long processorNanos() {
    return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getProcessCpuTime();
  }

  private static String peak() throws IOException {
    Path status = Path.of("/proc/self/status");
    if (!Files.exists(status)) {
      return "peak unknown";
    }
    return Files.readAllLines(status).stream()
        .filter(line -> line.startsWith("VmHWM"))
        .findFirst()
        .orElse("peak unknown");
  }
}
