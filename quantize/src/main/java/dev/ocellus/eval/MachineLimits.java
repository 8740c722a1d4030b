package dev.ocellus.eval;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.compute.Accelerator;
import dev.ocellus.ggml.Accel;
import dev.ocellus.ggml.Backend;
import dev.ocellus.ggml.Device;
import dev.ocellus.ggml.Graph;
import dev.ocellus.ggml.GraphBuilder;
import dev.ocellus.ggml.Scheduler;
import dev.ocellus.ggml.SideBySide;
import dev.ocellus.ggml.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Locale;

/**
 * What the machine can do at the moment, to tell whether it is slow or the program: large products
 * in F32, which bound prompts and images, and reading memory, which bounds single tokens.
 *
 * @param gigaflops products of matrices in F32, 10⁹ operations a second
 * @param gigabytes read from memory, 10⁹ bytes a second
 */
public record MachineLimits(double gigaflops, double gigabytes) {
  private static final int SIZE = 1024;
  private static final int PRODUCTS = 4;
  private static final int ROUNDS = 5;

  /** Larger than caches; half of it is compared with the other half. */
  private static final long BYTES = 512L << 20;

  /** What a test did of these, as a share. */
  public record Share(String test, String unit, double done, double limit) {
    /** One line. */
    public String line() {
      return String.format(
          Locale.ROOT,
          "%-16s %9.1f %s, %.0f %% of this machine's %.1f",
          test,
          done,
          unit,
          100 * done / limit,
          limit);
    }

    /** The same. */
    public ObjectNode json() {
      ObjectNode json = JsonNodeFactory.instance.objectNode();
      json.put("test", test);
      json.put("unit", unit);
      json.put("done", done);
      json.put("limit", limit);
      return json;
    }
  }

  /**
   * Measures, which takes about a second.
   *
   * @param nThreads threads to compute with
   */
  public static MachineLimits measure(int nThreads, Accelerator accelerator) {
    return new MachineLimits(products(nThreads, accelerator), reading(nThreads));
  }

  /** A test of so many operations a run, at its best. */
  public Share ofProducts(Measurement test, double operations) {
    return new Share(test.test(), "GFLOP/s", operations / best(test), gigaflops);
  }

  /** A test that reads so many bytes a run, at its best. */
  public Share ofReading(Measurement test, double bytes) {
    return new Share(test.test(), "GB/s", bytes / best(test), gigabytes);
  }

  private static double best(Measurement test) {
    return test.nanos().stream().mapToLong(Long::longValue).min().orElseThrow();
  }

  private static double products(int nThreads, Accelerator accelerator) {
    try (var cpu = new Backend(Device.cpu(), nThreads)) {
      return Accel.find(accelerator)
          .map(accel -> {
            try (var taken = accel.newBackend(nThreads)) {
              return products(taken, cpu);
            }
          })
          .orElseGet(() -> products(cpu));
    }
  }

  private static double products(Backend... backends) {
    try (var scheduler = new Scheduler(backends);
        var builder = new GraphBuilder()) {
      Tensor x = builder.input("x", SIZE, SIZE);
      Tensor w = builder.input("w", SIZE, SIZE);
      Tensor y = x;
      for (int i = 0; i < PRODUCTS; i++) {
        y = y.mulMat(w);
      }
      try (Graph graph = builder.build(y)) {
        long best = Long.MAX_VALUE;
        float[] values = new float[SIZE * SIZE];
        for (int round = 0; round < ROUNDS; round++) {
          try (var computation = scheduler.start(graph)) {
            computation.set(x, values).set(w, values);
            long start = System.nanoTime();
            computation.compute();
            best = Math.min(best, System.nanoTime() - start);
          }
        }
        return PRODUCTS * 2.0 * SIZE * SIZE * SIZE / best;
      }
    }
  }

  private static double reading(int nThreads) {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment memory = arena.allocate(BYTES, 64);
      long best = Long.MAX_VALUE;
      for (int round = 0; round < ROUNDS; round++) {
        long start = System.nanoTime();
        read(memory, nThreads);
        best = Math.min(best, System.nanoTime() - start);
      }
      return (double) BYTES / best;
    }
  }

  /** Each thread compares two parts, which are equal, and so reads both. */
  private static void read(MemorySegment memory, int nThreads) {
    long part = BYTES / 2 / nThreads;
    SideBySide.run(
        nThreads,
        i -> {
          MemorySegment first = memory.asSlice(i * part, part);
          MemorySegment second = memory.asSlice(BYTES / 2 + i * part, part);
          if (first.mismatch(second) >= 0) {
            throw new IllegalStateException("memory changed");
          }
        },
        () -> {});
  }
}
